"""deploys/check_database.py as a person runs it: it looks, learns, refuses and repairs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from relogin.report.files import schema
from tests.embedded.programs import owner
from tests.embedded.server import Server
from tests.operations import databases

pytestmark = pytest.mark.embedded
REPOSITORY = Path(__file__).parents[2]
INVENTORY = """\
from relogin import Backend, DatabaseUrl, EnvFile, FromEnv, Health, Peer, Postgres

hosts = [("@local", {{"_sudo": False, "mine": Backend(
    "mine",
    env_file=EnvFile({env!r}, keys={{
        "DATABASE_URL": DatabaseUrl(user="app", database={database!r}, port={port})}}),
    database=Postgres(
        url=FromEnv("DATABASE_URL"), schema="shop", health=Health(counted=["users"]),
        admin=Peer(os_user={user!r}, socket={socket!r}, port={port}, psql={psql!r})),
)}})]
"""
TABLES = """
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO app;
CREATE TABLE shop.users (id serial PRIMARY KEY, name text);
CREATE TABLE shop.posts (id serial PRIMARY KEY, user_id int REFERENCES shop.users);
INSERT INTO shop.users (name) VALUES ('ada'), ('bob');
INSERT INTO shop.posts (user_id) VALUES (1), (2), (2);
"""
BEHIND = "SELECT setval('shop.posts_id_seq', 1)"
WELL = "@local · mine: the database is sound"


class Checked:
    """A folder with an inventory, and the deploy run in it."""

    def __init__(self, folder: Path, server: Server, database: str) -> None:
        self.folder, self.server, self.database = folder, server, database
        server.sql(f"CREATE DATABASE {database}")
        server.sql(TABLES, database)
        env = folder / ".env"
        url = f"postgresql://app:secret-of-app@127.0.0.1:{server.port}/{database}"
        env.write_text(f"DATABASE_URL={url}\n")
        env.chmod(0o600)
        described = {"database": database, "port": server.port, "user": owner().pw_name}
        at = {"socket": str(server.socket), "psql": str(server.bin / "psql"), "env": str(env)}
        (folder / "inventory.py").write_text(INVENTORY.format(**described, **at))

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, self.database)

    def run(self, *words: str) -> tuple[int, str]:
        """Give the exit code and all that was said."""
        deploy = str(REPOSITORY / "deploys/check_database.py")
        data = [part for word in words for part in ("--data", word)]
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1"}
        done = subprocess.run(
            [Path(sys.executable).parent / "pyinfra", "-y", "inventory.py", deploy, *data],
            cwd=self.folder, env={**os.environ, **state}, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert "secret-of-app" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def report(self, *words: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).parent / "relogin", "report", *words], check=True,
            cwd=self.folder, env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state")},
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.stdout

    def dumps(self) -> list[Path]:
        return list((self.folder / "state/relogin/mine/release/backups").glob("*.dump"))


@pytest.fixture
def checked(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Checked:
    if server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'app'") == "0":
        server.sql("CREATE ROLE app LOGIN PASSWORD 'secret-of-app'")
    return Checked(tmp_path, server, f"d{abs(hash(request.node.name)):x}")


def test_a_sound_database_is_0_and_is_learnt_and_what_it_loses_is_named(checked):
    code, said = checked.run()
    assert 0 == code, said
    assert f"{WELL}; nothing was changed" in said
    code, said = checked.run("learn=known.json")
    assert 0 == code, said
    known = json.loads((checked.folder / "known.json").read_text())
    assert {"shop.posts", "shop.users"} == known["tables"].keys()
    assert 2 == known["tables"]["shop.users"]["rows"]
    assert 0 == checked.run("baseline=known.json")[0]
    checked.sql("DROP TABLE shop.posts")
    code, said = checked.run("baseline=known.json")
    assert 1 == code
    assert "table shop.posts is missing  database.table-missing" in said
    assert "the database has 1 finding\n" in said


def test_it_is_told_again_in_each_form_that_other_programs_read(checked):
    checked.sql("SET session_replication_role = replica;\nDELETE FROM shop.users WHERE id = 2")
    assert 1 == checked.run()[0]
    forms = ("--json", "--junit", "it.xml", "--prometheus", "it.prom")
    document = json.loads(checked.report(*forms))
    jsonschema.Draft202012Validator(schema()).validate(document)
    [backend] = document["hosts"][0]["backends"]
    assert ["database.orphans"] == [one["fault"] for one in backend["findings"]]
    cases = [case for suite in JUnitXml.fromfile(checked.folder / "it.xml") for case in suite]
    bad = [case.name for case in cases if not case.is_passed and not case.is_skipped]
    assert ["database.orphans"] == [name.partition(":")[0] for name in bad]
    assert [] != [case for case in cases if "database-health" in case.classname]
    text = (checked.folder / "it.prom").read_text()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    left = {one.labels["severity"]: one.value for one in families["relogin_findings"].samples}
    assert {"warning": 1} == {severity: number for severity, number in left.items() if number}


def test_it_is_repaired_behind_a_backup_that_holds_what_was_there_and_then_it_is_idle(checked):
    checked.sql(BEHIND)
    checked.sql("CREATE TABLE shop.dup AS SELECT 1 AS x FROM generate_series(1, 2)")
    with pytest.raises(RuntimeError):
        checked.sql("CREATE UNIQUE INDEX CONCURRENTLY one ON shop.dup (x)")
    checked.sql("UPDATE shop.dup SET x = 2 WHERE ctid = '(0,1)'")
    code, said = checked.run()
    assert 1 == code
    assert [] == checked.dumps()
    assert "1" == checked.sql("SELECT last_value FROM shop.posts_id_seq")
    code, said = checked.run("repair=true")
    assert 0 == code, said
    assert WELL in said
    assert "4" == checked.sql("SELECT nextval('shop.posts_id_seq')")
    assert "0" == checked.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    [dump] = checked.dumps()
    assert 0o600 == dump.stat().st_mode & 0o777
    restore = [checked.server.bin / "pg_restore", "-f", "-", dump]
    text = subprocess.run(restore, capture_output=True, text=True, check=True).stdout
    assert "pg_catalog.setval('shop.posts_id_seq', 1, true)" in text
    code, said = checked.run("repair=true")
    assert 0 == code, said
    assert f"{WELL}; nothing was changed" in said


def test_what_a_machine_may_not_mend_fails_and_nothing_is_changed(checked):
    checked.sql("SET session_replication_role = replica;\nDELETE FROM shop.users WHERE id = 2")
    code, said = checked.run("repair=true")
    assert 1 == code
    assert "2 rows: 2" in said
    assert [] == checked.dumps()
    assert "3" == checked.sql("SELECT count(*) FROM shop.posts")


def test_without_a_backup_nothing_is_repaired(checked):
    checked.sql(BEHIND)
    backups = checked.folder / "state/relogin/mine/release"
    backups.mkdir(parents=True)
    (backups / "backups").write_text("a file in the folder's place")
    code, said = checked.run("repair=true")
    assert 1 == code
    assert "nothing is repaired without a backup" in said
    assert "1" == checked.sql("SELECT last_value FROM shop.posts_id_seq")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("baseline=nosuch.json",), "baseline: nosuch.json: No such file"),
        (("baseline=inventory.py",), "is no baseline of this version"),
        (("learn=x.json", "repair=true"), "repair first, then learn"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(checked, words, said):
    code, told = checked.run(*words)
    assert 1 == code
    assert said in told


def test_of_a_database_with_findings_nothing_is_learnt_nor_over_another_file(checked):
    assert 1 == checked.run("learn=inventory.py")[0]
    assert "Backend(" in (checked.folder / "inventory.py").read_text()
    checked.sql(BEHIND)
    code, said = checked.run("learn=known.json")
    assert 1 == code
    assert "nothing is learnt of this database: 1 finding" in said
    assert not (checked.folder / "known.json").exists()


def test_a_server_in_recovery_is_reported_as_that_and_its_database_not_called_sound(tmp_path, undo):
    with databases.serving() as server:
        server.sql("CREATE ROLE app LOGIN PASSWORD 'secret-of-app'")
        checked = Checked(tmp_path, server, "recovering")
        server.stop()
        data = server.folder / "data"
        (data / "standby.signal").touch()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("hot_standby = off\n")
        with pytest.raises(RuntimeError):  # it lets nobody in
            server._launch(data, patience=3)
        code, said = checked.run()
    assert 1 == code
    assert "postgres.not-accepting" in said
    assert "the database could not be checked" in said
