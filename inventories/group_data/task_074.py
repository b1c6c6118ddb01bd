"""A backend whose database has crashed: FastAPI, 38 tables, sessions in rows, roles, MFA.

docs/runbooks/task-074.md goes through its runbook step by step. No secret is in here.
"""

from relogin import (
    Account,
    Accounts,
    Alembic,
    Api,
    Backend,
    Challenge,
    Columns,
    DatabaseUrl,
    Endpoint,
    EnvFile,
    Expiring,
    FromEnv,
    Health,
    Journey,
    Jwt,
    Login,
    Logout,
    Postgres,
    Probe,
    Query,
    RateLimit,
    Refresh,
    Relation,
    Secret,
    Step,
    Systemd,
    Venv,
)

_root = "/srv/hub"
_venv = "/srv/argon/env"  # shared with the other backends of the lab's host
_api = "http://127.0.0.1:8108/api/v1"
_ADMINS = "SELECT count(*) FROM user_roles JOIN roles r ON r.id = role_id WHERE r.name = 'admin'"
_list = {"type": "array", "items": {"type": "object"}}
_usage = {"type": "object", "required": ["usage"], "properties": {"usage": _list}}
_me = {
    "type": "object",
    "required": ["id", "username", "email", "roles", "permissions"],
    "properties": {"id": {"type": "integer"}, "roles": {"type": "array", "minItems": 1}},
}
_password = {"username": "{login}", "password": "{password}"}
_log_in = Step(
    "POST",
    "/api/v1/auth/login",
    fields=_password,
    keep={"token": "access_token", "refresh": "refresh_token"},
    safe=True,
)
_log_out = Step("POST", "/api/v1/auth/logout", status=204, safe=True)

task_074 = Backend(
    "task-074",
    service=Systemd(
        "hub-api",
        working_directory=_root,
        user="hub",
        exec_start=f"{_venv}/bin/gunicorn hub.main:app --workers 2"
        " --worker-class uvicorn_worker.UvicornWorker --bind 127.0.0.1:8108",
    ),
    venv=Venv(_venv, requirements=f"{_root}/requirements.txt"),
    env_file=EnvFile(
        f"{_root}/.env",
        readers="python-dotenv",  # pydantic-settings reads it itself
        owner="hub",
        keys={
            "DATABASE_URL": DatabaseUrl(driver="postgresql+asyncpg", user="hub", database="hub"),
            "JWT_SECRET_KEY": Secret.generated(),
            "CORS_ORIGINS": "https://app.example.org",
        },
    ),
    database=Postgres(
        url=FromEnv("DATABASE_URL"),
        health=Health(
            baseline="inventories/baselines/task_074.json",  # by --data learn=FILE, kept in git
            counted=[
                *("users", "user_profiles", "roles", "permissions"),
                *("user_roles", "role_permissions", "mfa_methods", "mfa_recovery_codes"),
                *("conversations", "conversation_members", "messages"),
                *("oauth_providers", "oauth_scopes", "oauth_accounts"),
                *("sms_providers", "sms_routes", "sms_templates", "sms_usage"),
                *("analytics_daily", "settings"),
            ],
            relations=[Relation("mfa_recovery_codes", "user_id", "users")],  # no foreign key
            expiring=[Expiring("sessions"), Expiring("refresh_tokens")],
            queries=[
                Query(
                    "OAuth providers",
                    "SELECT name FROM oauth_providers WHERE enabled ORDER BY 1",
                    ["github", "google", "microsoft"],
                ),
                Query(
                    "SMS router",
                    "SELECT r.prefix, p.name FROM sms_routes r JOIN sms_providers p"
                    " ON p.id = r.provider_id WHERE p.enabled AND r.priority = 1 ORDER BY 1",
                    [("+1", "twilio"), ("+49", "vonage"), ("+91", "twilio")],
                ),
                Query("who is an administrator", _ADMINS, 1),
            ],
        ),
    ),
    migrations=Alembic(_root, command=f"{_venv}/bin/alembic upgrade head"),
    accounts=Accounts(
        columns=Columns(admin=None),  # who is one is said by user_roles
        scheme="argon2",
        present=[
            Account("owner", email="owner@example.com", password=Secret.env("OWNER_PASSWORD")),
            Account("ada", email="ada@example.com", password=Secret.env("MEMBER_PASSWORD")),
            Account("grace", email="grace@example.com", password=Secret.env("MEMBER_PASSWORD")),
        ],
    ),
    login=Login(
        f"{_api}/auth/login",
        account="owner",
        body="json",
        fields=_password,
        protected=f"{_api}/users/me",
        identity="username",
        origin="https://app.example.org",
        refresh=Refresh(f"{_api}/auth/refresh", body="json", fields={"refresh_token": "{refresh}"}),
    ),
    token=Jwt(secret=FromEnv("JWT_SECRET_KEY"), subject="id", lifetime=900),
    probes=[
        Probe("http://127.0.0.1:8108/", fields={"name": "hub"}),
        Probe("http://127.0.0.1:8108/health", fields={"status": "ok", "database": "connected"}),
    ],
    api=Api(
        endpoints=[
            Endpoint("GET", "/"),
            Endpoint("GET", "/health"),
            Endpoint("POST", "/api/v1/auth/login"),  # not sent: it is looked whether it is there
            Endpoint("POST", "/api/v1/auth/refresh"),
            Endpoint("GET", "/api/v1/users/me", account="owner", schema=_me),
            Endpoint("GET", "/api/v1/users/me/profile", account="owner", schema={"type": "object"}),
            Endpoint("GET", "/api/v1/users/me/sessions", account="owner", schema=_list),
            Endpoint("GET", "/api/v1/chat/conversations", account="owner", schema=_list),
            Endpoint("GET", "/api/v1/chat/conversations/1/messages", account="owner", schema=_list),
            Endpoint("GET", "/api/v1/oauth/providers", account="owner", schema=_list),
            Endpoint("GET", "/api/v1/oauth/accounts", account="owner", schema=_list),
            Endpoint(
                "GET",
                "/api/v1/dashboard",
                account="owner",
                schema={"type": "object", "required": ["sessions"]},
            ),
            Endpoint("GET", "/api/v1/users", account="owner", schema=_list, forbidden=["ada"]),
            Endpoint("GET", "/api/v1/sms/routes", account="owner", schema=_list, forbidden=["ada"]),
            Endpoint(
                "GET",
                "/api/v1/analytics/sms/usage",
                account="owner",
                schema=_usage,
                forbidden=["ada"],
            ),
        ],
        error={"type": "object", "required": ["detail"]},
        logout=Logout("/api/v1/auth/logout"),
        challenges=[
            Challenge(
                "grace",
                schema={"type": "object", "required": ["mfa_required", "challenge"]},
            )
        ],
        limits=[
            RateLimit(
                "POST",
                "/api/v1/auth/login",
                30,
                fields={"username": "nobody", "password": "wrong"},
            )
        ],
        journeys=[
            Journey(
                "the dashboard",
                "ada",
                [
                    _log_in,
                    Step("GET", "/api/v1/users/me", schema=_me),
                    Step(
                        "POST",
                        "/api/v1/auth/refresh",
                        fields={"refresh_token": "{refresh}"},
                        keep={"token": "access_token"},
                        safe=True,
                    ),
                    Step("GET", "/api/v1/dashboard"),
                    Step("GET", "/api/v1/chat/conversations", keep={"first": "0.id"}),
                    Step("GET", "/api/v1/chat/conversations/{first}/messages", schema=_list),
                    Step("GET", "/api/v1/oauth/accounts", schema=_list),
                    _log_out,
                ],
            ),
            Journey(
                "with a second factor",
                "grace",
                [
                    Step(
                        "POST",
                        "/api/v1/auth/login",
                        fields=_password,
                        keep={"challenge": "challenge"},
                        safe=True,
                    ),
                    Step(
                        "POST",
                        "/api/v1/auth/mfa",
                        fields={"challenge": "{challenge}", "code": "{totp}"},
                        keep={"token": "access_token"},
                        safe=True,
                    ),
                    Step("GET", "/api/v1/users/me", schema=_me),
                    _log_out,
                ],
                totp=Secret.env("MEMBER_TOTP"),
            ),
        ],
    ),
)
