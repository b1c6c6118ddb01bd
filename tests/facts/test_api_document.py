"""What an openapi.json names, and what may be asked of that."""

import warnings
from http.server import BaseHTTPRequestHandler

import jsonschema

from relogin.facts.api_document import Document, read
from relogin.facts.api_schema import wrong
from relogin.finding import Unreadable
from relogin.web import Reply
from tests.core.certificates import serving

ME = {"$ref": "#/components/schemas/Me"}
SECURED = [{"OAuth2PasswordBearer": []}]
COMPONENTS = {
    "schemas": {
        "Me": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
    },
    "parameters": {"Page": {"name": "page", "in": "query", "required": True}},
}


def answered(schema: object, status: str = "200") -> dict[str, object]:
    return {"responses": {status: {"content": {"application/json": {"schema": schema}}}}}


def document(paths: object, version: str = "3.1.0", **more: object) -> Document:
    told = {"openapi": version, "paths": paths, "components": COMPONENTS, **more}
    found = read(told, "ops")
    assert found is not None
    return found


def endpoints(paths: object, **more: object) -> list[tuple[str, str | None, int]]:
    found = document(paths, **more).endpoints
    return [(one.name, one.account, one.status) for one in found]


def test_gets_without_parameters_are_asked_as_the_account_where_they_are_secured():
    paths = {
        "/health": {"get": answered({}, "204")},
        "/me": {"get": {**answered(ME), "security": SECURED}, "patch": answered(ME)},
    }
    found = document(paths)
    assert [("GET /health", None, 204), ("GET /me", "ops", 200)] == endpoints(paths)
    assert {"/health": ("GET",), "/me": ("GET", "PATCH")} == found.methods
    assert (("PATCH /me", "it can change something"),) == found.unasked


def test_security_of_the_whole_holds_but_where_a_route_says_otherwise_or_lets_anybody_in():
    paths = {
        "/me": {"get": {}},
        "/open": {"get": {"security": []}},
        "/both": {"get": {"security": [*SECURED, {}]}},
    }
    expected = [("GET /me", "ops", 200), ("GET /open", None, 200), ("GET /both", None, 200)]
    assert expected == endpoints(paths, security=SECURED)


def test_what_needs_a_parameter_is_not_asked_wherever_that_is_said():
    one = {"name": "id", "in": "path", "required": True}
    paths = {
        "/a/{id}": {"parameters": [one], "get": {}},
        "/b": {"get": {"parameters": [{"$ref": "#/components/parameters/Page"}]}},
        "/c": {"get": {"parameters": [{"name": "limit", "in": "query"}]}},
        "/d/{rest}": {"get": {}},
    }
    found = document(paths)
    assert ["GET /c"] == [one.name for one in found.endpoints]
    assert (
        ("GET /a/{id}", "it needs id"),
        ("GET /b", "it needs page"),
        ("GET /d/{rest}", "its path is a pattern"),
    ) == found.unasked


def test_without_an_account_nothing_that_needs_a_token_is_asked():
    found = read({"paths": {"/me": {"get": {"security": SECURED}}}}, None)
    assert found is not None
    assert ((), (("GET /me", "it needs a token, and no login is declared"),)) == (
        found.endpoints,
        found.unasked,
    )


def test_a_prefix_of_the_api_s_own_url_is_taken_off():
    found = read({"paths": {"/api/me": {"get": {}}}}, None, "/api")
    assert found is not None
    assert ["/me"] == [one.path for one in found.endpoints]


def test_what_is_no_document_gives_nothing():
    for told in (None, [], {}, {"paths": []}, "x"):
        assert read(told, "ops") is None
    weird = {"paths": {"/a": None, "b": {"get": {}}, "/c": {"get": 5}, "/d": {"get": {}}}}
    found = read(weird, "ops")
    assert found is not None
    assert ["GET /d"] == [one.name for one in found.endpoints]


def judged(schema: object, body: object, version: str = "3.1.0") -> str | Unreadable:
    [one] = document({"/me": {"get": answered(schema)}}, version).endpoints
    return wrong(one.schema, Reply(200, 0.1, json=body))


def test_a_reference_is_looked_up_in_the_document_however_deep():
    listed = {"type": "array", "items": ME}
    assert judged(listed, [{"id": 1}]) == ""
    assert judged(listed, [{"id": 1}, {"id": "2"}]) == '$[1].id: is not type "integer"'
    assert judged(listed, [{}]) == "$[0]: lacks id"
    nowhere = judged({"$ref": "#/components/schemas/You"}, {})
    assert Unreadable("the schema has no /components/schemas/You") == nowhere


def test_what_may_be_null_in_openapi_3_0_may_be_null():
    nullable = {"type": "object", "properties": {"at": {"type": "string", "nullable": True}}}
    assert judged(nullable, {"at": None}, "3.0.3") == ""
    assert judged(nullable, {"at": 5}, "3.0.3") != ""
    assert judged(nullable, {"at": None}, "3.1.0") != ""
    edge = {"type": "number", "minimum": 0, "exclusiveMinimum": True}
    assert judged(edge, 1, "3.0.3") == ""
    assert judged(edge, 0, "3.0.3") != ""


def test_a_body_is_never_told_and_many_faults_are_counted():
    schema = {"type": "array", "items": {"type": "integer"}}
    said = judged(schema, ["canary-1", "canary-2", "canary-3", "canary-4", "canary-5"])
    assert isinstance(said, str)
    assert said.endswith(" and 2 more")
    assert "canary" not in said


def test_what_is_no_json_is_said_by_its_type():
    page = Reply(200, 0.1, headers={"content-type": "text/html; charset=utf-8"}, text="<p>")
    assert "the body is no JSON (text/html)" == wrong({"type": "object"}, page)
    assert "the body is no JSON (it has none)" == wrong({"type": "object"}, Reply(200, 0.1))


def test_a_schema_is_read_from_its_file_and_what_is_none_is_unreadable(tmp_path):
    path = tmp_path / "me.json"
    assert Unreadable(f"{path}: No such file or directory") == wrong(str(path), Reply(200, 0.1))
    path.write_text("{")
    assert Unreadable(f"{path} is no JSON") == wrong(str(path), Reply(200, 0.1))
    path.write_text("[]")
    assert Unreadable(f"{path} holds no JSON Schema") == wrong(str(path), Reply(200, 0.1))
    path.write_text('{"required": ["id"]}')
    assert wrong(str(path), Reply(200, 0.1, json={})) == "$: lacks id"


def test_nothing_is_fetched_that_a_schema_refers_to():
    asked: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *words: object) -> None:
            pass

    with serving(Noting) as url, warnings.catch_warnings(action="ignore"):
        found = wrong({"$ref": f"{url}/s.json"}, Reply(200, 0.1, json={}))
    assert Unreadable(f"the schema has no {url}/s.json") == found
    assert [] == asked


def test_the_draft_that_a_schema_names_is_the_one_it_is_judged_by():
    four = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 0}
    schema = {**four, "exclusiveMinimum": True}
    assert wrong(schema, Reply(200, 0.1, json=0)) != ""
    assert jsonschema.Draft4Validator(schema).is_valid(1)
