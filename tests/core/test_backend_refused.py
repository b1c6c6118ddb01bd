"""The one line with which a description refuses what cannot be."""

import pytest

from relogin import (
    Account,
    Accounts,
    Alembic,
    Backend,
    Columns,
    DatabaseUrl,
    EnvFile,
    Expiring,
    Fault,
    FromEnv,
    Health,
    Jwt,
    Login,
    Postgres,
    ProfileError,
    Query,
    Refresh,
    Secret,
    Supervisor,
    Systemd,
    Venv,
)

from .refused import Refusals, is_refused

OPS = Accounts(present=[Account("ops", password=Secret.env("OPS"))])
URL = "http://127.0.0.1/token"
WEB = "expected http://HOST[:PORT]/PATH"


REFUSED: Refusals = {
    "unknown field": (
        lambda: Backend("a", acounts=OPS),
        "Backend has no field 'acounts'; did you mean 'accounts'?",
    ),
    "query that is none": (
        lambda: Query("it", "DELETE FROM users", 1),
        "Query 'it': sql is not a query (SELECT, WITH, VALUES)",
    ),
    "answer that is no value": (
        lambda: Query("it", "SELECT 1", [{"a": 1}]),
        "Query 'it': answer has {'a': 1}, expected a value",
    ),
    "two queries of one name": (
        lambda: Health(queries=[Query("it", "SELECT 1", 1), Query("it", "SELECT 2", 2)]),
        "Health: there are two queries named 'it'",
    ),
    "relation that is a text": (
        lambda: Health(relations=["sessions.user_id"]),
        "Health: relations has 'sessions.user_id', expected Relation(…)",
    ),
    "expiring below nothing": (
        lambda: Expiring("sessions", at_most=-1),
        "Expiring: at_most is -1, expected a number of rows",
    ),
    "expiring in half a day": (
        lambda: Expiring("sessions", days=0.5),
        "Expiring: days is 0.5, expected a number of days",
    ),
    "slow at once": (lambda: Health(slow=0), "Health: slow is 0, expected milliseconds"),
    "unknown field, nothing near": (
        lambda: FromEnv("A", zzz=1),
        "FromEnv has no field 'zzz'; there is key",
    ),
    "missing field": (
        lambda: Login(URL),
        "Login missing 1 required positional argument: 'account'",
    ),
    "field twice": (
        lambda: FromEnv("A", key="B"),
        "FromEnv got multiple values for argument 'key'",
    ),
    "name with a slash": (
        lambda: Backend("a/b"),
        "Backend: name 'a/b' must be letters, digits, dots, dashes and underscores",
    ),
    "no name": (
        lambda: Backend(""),
        "Backend: name is '', expected a text",
    ),
    "name with a newline": (
        lambda: Backend("a\n"),
        r"Backend: name 'a\n' must be letters, digits, dots, dashes and underscores",
    ),
    "other kind of part": (
        lambda: Backend("a", service="api.service"),
        "Backend('a'): service is a str, expected Systemd or Supervisor or Compose",
    ),
    "other kind in a list": (
        lambda: Backend("a", probes=[URL]),
        "Backend('a'): probes is a str, expected Probe",
    ),
    "undeclared key": (
        lambda: Backend(
            "a",
            env_file=EnvFile("/a", keys={"SECRET_KEY": "x"}),
            token=Jwt(secret=FromEnv("SECRET_KEI")),
        ),
        "Backend('a'): FromEnv('SECRET_KEI') is in no env_file; did you mean 'SECRET_KEY'?",
    ),
    "undeclared key of a header": (
        lambda: Backend("a", accounts=OPS, login=Login(URL, "ops", headers={"X": FromEnv("K")})),
        "Backend('a'): FromEnv('K') is in no env_file; there is none",
    ),
    "undeclared key of the database": (
        lambda: Backend("a", database=Postgres(url=FromEnv("K"))),
        "Backend('a'): FromEnv('K') is in no env_file; there is none",
    ),
    "account of nobody": (
        lambda: Backend("a", accounts=OPS, login=Login(URL, account="opps")),
        "Backend('a'): account 'opps' is not in accounts.present; did you mean 'ops'?",
    ),
    "login without accounts": (
        lambda: Backend("a", login=Login(URL, account="ops")),
        "Backend('a'): account 'ops' is not in accounts.present; there is none",
    ),
    "account twice": (
        lambda: Accounts(present=[Account("a"), Account("b"), Account("a")]),
        "Accounts: 'a' is declared twice",
    ),
    "password in the profile": (
        lambda: Account("ops", password="canary"),
        "Account('ops'): password must be a Secret (Secret.env, .file or .command)",
    ),
    "unknown name in a create command": (
        lambda: Accounts(create="make {login} {passwort}"),
        "Accounts: create: there is no {passwort}; did you mean 'password'?",
    ),
    "brace in a create command": (
        lambda: Accounts(create="make {"),
        "Accounts: create: Single '{' encountered in format string; "
        "a brace that means itself is written twice",
    ),
    "list of login fields": (
        lambda: Login(URL, "ops", fields=["email", "password"]),
        'Login: fields is a list; it is written {"username": "{login}", "password": "{password}"}',
    ),
    "list of login headers": (
        lambda: Login(URL, "ops", headers=["X-Code"]),
        'Login: headers is a list; it is written {"X-Code": "…"}',
    ),
    "list of refresh fields": (
        lambda: Refresh(URL, fields=["refresh"]),
        'Refresh: fields is a list; it is written {"refresh": "{refresh}"}',
    ),
    "list of env keys": (
        lambda: EnvFile("/a", keys=["SECRET_KEY"]),
        'EnvFile: keys is a list; it is written {"NAME": "its value"}',
    ),
    "list of values of a row": (
        lambda: Accounts(values=["name"]),
        'Accounts: values is a list; it is written {"column": "its value"}',
    ),
    "token of an address that is not declared": (
        lambda: Backend(
            "a",
            env_file=EnvFile("/a", keys={"K": "x"}),
            accounts=OPS,
            login=Login(URL, "ops"),
            token=Jwt(secret=FromEnv("K"), subject="email"),
        ),
        "Backend('a'): Jwt(subject='email'), but account 'ops' has no email=…; where"
        " people log in with their address, it is subject='login'",
    ),
    "unknown name in a login field": (
        lambda: Login(URL, "ops", fields={"user": "{name}"}),
        "Login: field 'user': there is no {name}; there is email, login, password",
    ),
    "login that cannot be stored": (
        lambda: Account("o\0ps"),
        r"Account: login: 'o\x00ps' holds a NUL",
    ),
    "login that is no text": (lambda: Account(7), "Account: login is 7, expected a text"),
    "empty column": (lambda: Columns(id=""), "Columns: id is '', expected a text"),
    "empty user": (
        lambda: DatabaseUrl(user="", database="d"),
        "DatabaseUrl: user is '', expected a text",
    ),
    "relative env file": (
        lambda: EnvFile("backend/.env"),
        "EnvFile: 'backend/.env' is not an absolute path",
    ),
    "relative venv": (lambda: Venv("env"), "Venv: 'env' is not an absolute path"),
    "relative requirements": (
        lambda: Venv("/env", requirements=["/a", "b"]),
        "Venv: 'b' is not an absolute path",
    ),
    "relative working directory": (
        lambda: Systemd("api", working_directory="x"),
        "Systemd('api'): 'x' is not an absolute path",
    ),
    "relative environment file": (
        lambda: Systemd("api", environment_files=["/a", "~/b"]),
        "Systemd('api'): '~/b' is not an absolute path",
    ),
    "relative config": (
        lambda: Supervisor("api", config="x"),
        "Supervisor('api'): 'x' is not an absolute path",
    ),
    "relative migrations": (lambda: Alembic("x"), "Alembic: 'x' is not an absolute path"),
    "key that is no variable": (
        lambda: EnvFile("/a", keys={"MY-KEY": "x"}),
        "EnvFile: 'MY-KEY' is not a variable name",
    ),
    "key with a newline": (
        lambda: EnvFile("/a", keys={"A\n": "x"}),
        r"EnvFile: 'A\n' is not a variable name",
    ),
    "value of another kind": (
        lambda: EnvFile("/a", keys={"PORT": 8000}),
        "EnvFile: PORT must be text, a Secret or a DatabaseUrl",
    ),
    "unknown reader": (
        lambda: EnvFile("/a", readers="dotenv"),
        "EnvFile: no reader 'dotenv'; did you mean 'python-dotenv'?",
    ),
    "port that is none": (
        lambda: DatabaseUrl(user="u", database="d", port=0),
        "DatabaseUrl: port 0 is not a port",
    ),
    "port beyond": (
        lambda: DatabaseUrl(user="u", database="d", port=65536),
        "DatabaseUrl: port 65536 is not a port",
    ),
    "database password in the profile": (
        lambda: DatabaseUrl(user="u", database="d", password="canary"),
        "DatabaseUrl: password must be a Secret (.env, .file, .command, .generated, .kept)"
        " or None (peer)",
    ),
    "database URL in the profile": (
        lambda: Postgres(url="postgresql://u:canary@h/d"),
        "Postgres: url must be FromEnv(KEY), FromParts(…) or a Secret",
    ),
    "fault that is none": (
        lambda: Backend("m", faults=["service.mine"]),
        "Backend('m'): faults holds a str, expected a Fault",
    ),
    "fault of an unknown layer": (
        lambda: Backend("m", faults=[Fault("postgress.mine", lambda b, s: None)]),
        "Backend('m'): fault 'postgress.mine' must be named LAYER.WHAT-IS-WRONG, its layer; did you"
        " mean 'postgres'?",
    ),
    "login fault with a fix": (
        lambda: Backend("m", faults=[Fault("login.mine", lambda b, s: None, lambda b, s, f: None)]),
        "Backend('m'): fault 'login.mine' has a fix, but the login is only tried: give it the layer"
        " that it mends",
    ),
    "fault twice": (
        lambda: Backend("m", faults=[Fault("jwt.mine", lambda b, s: None)] * 2),
        "Backend('m'): fault 'jwt.mine' is there twice",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_in_one_line_with_the_callers_file_and_line(what):
    is_refused(*REFUSED[what])


def test_no_line_of_ours_stands_before_the_message():
    """Pyinfra writes the file and line of the traceback before it; the reader's own is in it."""
    with pytest.raises(ProfileError) as raised:
        Backend("a/b")
    assert raised.value.__traceback__ is None
    assert isinstance(raised.value, ValueError)
