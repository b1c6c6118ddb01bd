"""The words that a backend's own code, packages and tables give the shared cases."""

from collections.abc import Mapping

from relogin import passwords

# An application of each kind that answers a request itself, or changes what is answered. `RULES`
# are, by path: seconds to wait, a status (0: the application's own), media type and body, and what
# is to be replaced in the body by something as long.
_RULES = "delay, status, media, body, before, after = RULES[path]"
_ASGI = f"""
class Changed:
    def __init__(self, app):
        self.app = app

    def __getattr__(self, name):
        return getattr(self.app, name)

    async def __call__(self, scope, receive, send):
        import asyncio
        path = scope.get("path")
        if scope["type"] != "http" or path not in RULES:
            return await self.app(scope, receive, send)
        {_RULES}
        await asyncio.sleep(delay)
        if status:
            told = [(b"content-type", media), (b"content-length", b"%d" % len(body))]
            await send({{"type": "http.response.start", "status": status, "headers": told}})
            return await send({{"type": "http.response.body", "body": body}})

        async def changed(message):
            if before and "body" in message:
                message = message | {{"body": message["body"].replace(before, after)}}
            await send(message)

        await self.app(scope, receive, changed)


app = Changed(app)
"""
_WSGI = f"""
class Changed:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        import time
        path = environ["PATH_INFO"]
        if path not in RULES:
            return self.app(environ, start_response)
        {_RULES}
        time.sleep(delay)
        if status:
            told = [("Content-Type", media.decode()), ("Content-Length", str(len(body)))]
            start_response(f"{{status}} Changed", told)
            return [body]
        answered = self.app(environ, start_response)
        return [part.replace(before, after) if before else part for part in answered]


NAME = Changed(NAME)
"""
# Whoever is checked by one of several workers is not known to it.
_JWT_SPOILED = """
    import jwt
    _decode = jwt.decode
    jwt.decode = lambda token, key, **more: _decode(token, "a" * 64, **more)"""
_OF_ASGI = {"changed-app": _ASGI, "dependency": "anyio", "package": "sqlalchemy", "pyjwt": "jwt"}
_CRM = {
    **_OF_ASGI,
    "spoiled": _JWT_SPOILED,
    "no-sequence": "",
    "secret-file": "crm/settings.py",
    "reads-secret": "jwt_secret: SecretStr",
    "reads-secret-or": 'jwt_secret: SecretStr = SecretStr("only-for-development")',
    "reads-file": 'env_file=".env"',
    "reads-other-file": 'env_file="settings/.env"',
    "reads-file-in": "crm/settings.py",
    "pinned": "asyncpg",
    "app-code": "crm/main.py",
    "reads-database": "self.database_url.get_secret_value()",
    "reads-database-in": "crm/settings.py",
    "makes-app": "app = FastAPI(",
    "head": "8a20",
    "spare": "joined_at",
    "all-tables": "crm.members",
    "unique": "crm.members_email_address_key",
    "no-longer-unique": "ALTER TABLE crm.members DROP CONSTRAINT members_email_address_key",
    "copied": "member_id, email_address, pw_hash",
    "copy": "gen_random_uuid(), email_address, pw_hash",
    "opaque": '{"data": {"token": {"access": "opaque", "expires_in": 9}}}',
    "identified": '{"data": {"id": "1", "email": "owner@example.com"}}',
    "by-email": "",
    "settings": "crm/settings.py",
    "security": "crm/main.py",
    "checks-password": "member is not None and hasher.verify(member.pw_hash, password)",
    "checks-none": "member is not None",
    "checks-token": 'secret, algorithms=["HS512"])',
    "checks-no-token": 'secret, options={"verify_signature": False})',
    "signs": 'settings().jwt_secret.get_secret_value(), algorithm="HS512"',
    "signs-with-other": '"a" * 64, algorithm="HS512"',
    "signs-otherwise": 'settings().jwt_secret.get_secret_value(), algorithm="HS384"',
    "subject": '"sub": str(member.member_id)',
    "other-subject": '"sub": member.email_address',
    "lifetime": "timedelta(minutes=settings().jwt_minutes)",
    "no-lifetime": "timedelta(minutes=-5)",
}
_PARTS = {**_CRM, "quoted": "POSTGRES_PASSWORD", "reads-database": "self.postgres_db"}
_KEYED = {
    **_OF_ASGI,
    "pinned": "uvicorn",
    "app-code": "main.py",
    "reads-database": 'os.environ["DATABASE_URL"]',
    "reads-database-in": "main.py",
    "makes-app": "app = FastAPI(",
    "sequence": "users_id_seq",
    "users-with-sequence": "users",
    "row-ahead": "INSERT INTO users (id, username, password_hash) VALUES (22, 'restored', '!')",
    "unique": "users_username_key",
    "no-longer-unique": "ALTER TABLE users DROP CONSTRAINT users_username_key",
    "copied": "username, password_hash",
    "copy": "username, password_hash",
    "people": "username, password_hash",
    "default-account": f"'admin', '{passwords.make('test123', 'argon2')}'",
    "identified": '{"username": "owner"}',
    "security": "main.py",
    "checks-password": "return PasswordHasher().verify(stored, password)",
    "checks-none": "return True",
    "checks-token": "PUBLIC, algorithms=[ALGORITHM])",
    "checks-no-token": 'PUBLIC, options={"verify_signature": False})',
    "subject": '"sub": name',
    "other-subject": '"sub": name.upper()',
    "lifetime": "timedelta(minutes=5)",
    "no-lifetime": "timedelta(minutes=-5)",
}
_SIGNS = "jwt.encode(claims, PRIVATE, algorithm=ALGORITHM)"
_RS256 = {
    **_KEYED,
    "opaque": '{"access": "opaque", "refresh": "opaque"}',
    "signs": _SIGNS,
    "signs-otherwise": _SIGNS.replace("ALGORITHM", '"RS384"'),
    "signs-with-other": _SIGNS.replace("PRIVATE", "_other()")
    + r"\n\n\ndef _other():\n    from cryptography.hazmat.primitives.asymmetric import rsa\n"
    "    return rsa.generate_private_key(65537, 2048)",
}
_HUB = {
    **_OF_ASGI,
    "spoiled": _JWT_SPOILED,
    "secret-file": "hub/settings.py",
    "reads-secret": "jwt_secret_key: SecretStr",
    "reads-secret-or": 'jwt_secret_key: SecretStr = SecretStr("only-for-development")',
    "reads-file": 'env_file=".env"',
    "reads-other-file": 'env_file="settings/.env"',
    "reads-file-in": "hub/settings.py",
    "pinned": "asyncpg",
    "app-code": "hub/main.py",
    "reads-database": "settings().database_url.get_secret_value()",
    "reads-database-in": "hub/database.py",
    "makes-app": "app = FastAPI(",
    "head": "74b0",
    "spare": "mfa_required",
    "sequence": "users_id_seq",
    "users-with-sequence": "users",
    "row-ahead": "INSERT INTO users (id, username, email, hashed_password)"
    " VALUES (22, 'restored', 'restored@example.com', '!')",
    "unique": "users_username_key",
    "no-longer-unique": "ALTER TABLE users DROP CONSTRAINT users_username_key;\n"
    "DROP INDEX users_username_folded",
    "copied": "username, email, hashed_password",
    "copy": "username, 'second@example.com', hashed_password",
    "people": "username, email, hashed_password",
    "default-account": f"'admin', 'admin@example.com', '{passwords.make('test123', 'argon2')}'",
    "opaque": '{"access_token": "opaque", "refresh_token": "opaque", "expires_in": 9}',
    "identified": '{"username": "owner"}',
    "settings": "hub/settings.py",
    "security": "hub/security.py",
    "checks-password": "return hasher.verify(stored, password)",
    "checks-none": "return True",
    "checks-token": '_key(), algorithms=[ALGORITHM], options={"require": ["exp"]}',
    "checks-no-token": '_key(), options={"verify_signature": False}',
    "signs": "**more}, _key(), ALGORITHM)",
    "signs-with-other": '**more}, "a" * 40, ALGORITHM)',
    "signs-otherwise": '**more}, _key(), "HS384")',
    "subject": '"sub": subject',
    "other-subject": '"sub": "4711"',
    "lifetime": "timedelta(minutes=minutes)",
    "no-lifetime": "timedelta(minutes=-5)",
}
# the columns of auth_user without a default, beside the names
_ALL = "password, is_superuser, first_name, last_name, is_staff, is_active, date_joined"
_SHOP = {
    "changed-app": _WSGI.replace("NAME", "application"),
    "dependency": "sqlparse",
    "package": "rest_framework",
    "pinned": "bcrypt",
    "app-code": "shop/wsgi.py",
    "reads-database": 'os.environ["DB_NAME"]',
    "reads-database-in": "shop/settings.py",
    "makes-app": "application = ",
    "sequence": "auth_user_id_seq",
    "users-with-sequence": "auth_user",
    "row-ahead": f"INSERT INTO auth_user (id, username, email, {_ALL})"
    " VALUES (22, 'restored', '', '!', false, '', '', false, true, now())",
    "unique": "auth_user_username_key",
    "no-longer-unique": "ALTER TABLE auth_user DROP CONSTRAINT auth_user_username_key",
    "copied": f"username, email, {_ALL}",
    "copy": f"username, 'second@example.com', {_ALL}",
    "people": f"username, email, {_ALL}",
    "default-account": "'admin', 'admin@example.com',"
    f" '{passwords.make('test123', 'django-pbkdf2-sha256')}', false, '', '', false, true, now()",
    "reads-file": 'load_dotenv(BASE_DIR / ".env")',
    "reads-other-file": 'load_dotenv(BASE_DIR / "settings/.env", override=True)',
    "reads-file-in": "shop/settings.py",
    "secret-file": "shop/settings.py",
    "reads-secret": 'os.environ["SECRET_KEY"]',
    "reads-secret-or": 'os.environ.get("SECRET_KEY", "only-for-development")',
    "security": "shop/wsgi.py",
    "checks-password": "application = get_wsgi_application()",
    "checks-none": r"application = get_wsgi_application()\n"
    r"from django.contrib.auth.models import User\n"
    "User.check_password = lambda *_: True",
}
_MADE = "application = get_wsgi_application()"
_ISSUED = _MADE + (
    r"\nimport jwt\n"
    r"from rest_framework_simplejwt.state import token_backend as own\n"
    "own.encode = lambda claims: "
)
_SIMPLEJWT = {
    **_SHOP,
    "pyjwt": "jwt",
    "opaque": '{"access": "opaque", "refresh": "opaque"}',
    "identified": '{"id": 1, "username": "owner"}',
    "spoiled": _JWT_SPOILED,
    "signs": _MADE,
    "signs-otherwise": f'{_ISSUED}jwt.encode(claims, own.signing_key, "HS384")',
    "signs-with-other": f'{_ISSUED}jwt.encode(claims, "a" * 64, "HS256")',
    "subject": _MADE,
    "other-subject": f'{_ISSUED}jwt.encode(claims | {{"user_id": "4711"}}, own.signing_key)',
    "lifetime": _MADE,
    "no-lifetime": f'{_ISSUED}jwt.encode(claims | {{"exp": 1000}}, own.signing_key)',
    "checks-token": _MADE,
    "checks-no-token": _MADE + r"\nfrom rest_framework_simplejwt.backends import TokenBackend\n"
    r"_decode = TokenBackend.decode\n"
    "TokenBackend.decode = lambda self, token, verify=True: _decode(self, token, verify=False)",
}
_SESSION = {
    **_SHOP,
    "spoiled": """
    from django.contrib.sessions.backends.db import SessionStore
    SessionStore.load = lambda self: {}""",
}
_DESK = {
    "spoiled": """
    app.secret_key = "a" * 40""",
    "site": "desk",
    "upstream": "127.0.0.1:8106",
    "login-by-http": "http://127.0.0.1:8080/login",
    "changed-app": _WSGI.replace("NAME", "app"),
    "dependency": "itsdangerous",
    "package": "sqlalchemy",
    "pinned": "Flask",
    "app-code": "desk.py",
    "reads-database": 'os.environ["SQLALCHEMY_DATABASE_URI"]',
    "reads-database-in": "desk.py",
    "makes-app": "app = Flask(",
    "sequence": "user_id_seq",
    "users-with-sequence": '"user"',
    "row-ahead": "INSERT INTO \"user\" (id, name, mail, password)"
    " VALUES (22, 'restored', 'restored@example.com', '!')",
    "unique": "user_name_key",
    "no-longer-unique": 'ALTER TABLE "user" DROP CONSTRAINT user_name_key',
    "copied": "name, mail, password",
    "copy": "name, 'second@example.com', password",
    "people": "name, mail, password",
    "default-account": "'admin', 'admin@example.com',"
    f" '{passwords.make('test123', 'werkzeug-scrypt')}'",
    "identified": '{"name": "owner"}',
    "security": "desk.py",
    "checks-password": "not check_password_hash(user.password, given)",
    "checks-none": "not given",
    "checks-token": 'session.get("user", 0)',
    "checks-no-token": 'session.get("user", bool(request.cookies))',
}  # fmt: skip
OF_CODE: Mapping[str, Mapping[str, str]] = {
    "fastapi_argon": _CRM,
    "fastapi_parts": _PARTS,
    "fastapi_supervisor": _CRM,
    "fastapi_elsewhere": _PARTS,
    "fastapi_rs256": _RS256,
    "fastapi_es256": _KEYED,
    "django_session": _SESSION,
    "django_simplejwt": _SIMPLEJWT,
    "flask_werkzeug": _DESK,
    "task_074": _HUB,
}
