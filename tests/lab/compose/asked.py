"""How curl on a host with containers logs in, and asks with a token: lines of a root script."""

from tests.lab.compose import canaries

TOKEN = {
    "receptionist": f"""\
token=$(printf '{{"email":"owner@example.com","password":"{canaries.OWNER_PASSWORD}"}}' |
  curl -s -H 'Content-Type: application/json' -d @- http://127.0.0.1:8002/api/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')""",
    "agentcaller": f"""\
token=$(printf 'username=admin@example.com&password={canaries.ADMIN_PASSWORD}' |
  curl -s -d @- http://127.0.0.1:8000/v1/auth/login |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')""",
    "edms": f"""\
token=$(printf '{{"username":"admin","password":"{canaries.EDMS_ADMIN_PASSWORD}"}}' |
  curl -s -H 'Content-Type: application/json' -d @- http://127.0.0.1:3001/api/v1/auth/login/ |
  sed 's/.*"access":"\\([^"]*\\)".*/\\1/')""",
}
_PROTECTED = {
    "receptionist": "http://127.0.0.1:8002/api/auth/me",
    "agentcaller": "http://127.0.0.1:8000/v1/auth/me",
    "edms": "http://127.0.0.1:3001/api/v1/auth/profile/",
}
OPENED = {
    name: f"curl -s -o /dev/null -w '%{{http_code}}' -H \"Authorization: Bearer $token\" {url}"
    for name, url in _PROTECTED.items()
}
