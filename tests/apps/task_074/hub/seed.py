"""Fill the tables: `OWNER` and `OTHERS` are passwords. Run as `python -m hub.seed`, once."""

import asyncio
import os
from typing import Any

from hub.database import engine, rows
from hub.security import hasher

PEOPLE = ("owner", "ada", "grace", "alan")
ROLES = {
    "admin": ("users:read", "analytics:read", "sms:read", "chat:write"),
    "analyst": ("analytics:read",),
    "member": ("chat:write",),
}
HAVE = {"owner": ["admin"], "ada": ["member"], "grace": ["member", "analyst"], "alan": ["member"]}
FACTOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # grace's, base32
PERSON = """
INSERT INTO users (username, email, hashed_password, mfa_required)
VALUES (:name, :email, :hash, :twice)
"""
REST = """
INSERT INTO user_profiles (user_id, display_name) SELECT id, initcap(username) FROM users;
INSERT INTO user_preferences SELECT id, 'theme', '"dark"' FROM users;
INSERT INTO mfa_methods (user_id, kind, secret, confirmed_at)
  SELECT id, 'totp', :factor, now() FROM users WHERE username = 'grace';
INSERT INTO mfa_recovery_codes (user_id, code_hash)
  SELECT u.id, encode(sha256(convert_to(u.username || n, 'UTF8')), 'hex')
  FROM users u, generate_series(1, 10) n WHERE u.username = 'grace';
INSERT INTO conversations (title, created_by)
  SELECT 'conversation ' || n, (SELECT min(id) FROM users) FROM generate_series(1, 12) n;
INSERT INTO conversation_members SELECT c.id, u.id FROM conversations c, users u;
INSERT INTO messages (conversation_id, sender_id, body)
  SELECT 1 + n % 12, 1 + n % 4, 'message ' || n FROM generate_series(1, 3000) n;
INSERT INTO message_attachments (message_id, name, bytes)
  SELECT id, 'file-' || id, id * 100 FROM messages WHERE id % 10 = 0;
INSERT INTO message_reactions SELECT id, 1, '+1' FROM messages WHERE id % 5 = 0;
INSERT INTO message_reads SELECT conversation_id, user_id,
  (SELECT max(id) FROM messages m WHERE m.conversation_id = b.conversation_id)
  FROM conversation_members b;
INSERT INTO oauth_providers (name, authorize_url, client_id) VALUES
  ('github', 'https://github.com/login/oauth/authorize', 'hub-production'),
  ('google', 'https://accounts.google.com/o/oauth2/v2/auth', 'hub-production'),
  ('microsoft', 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize', 'hub');
INSERT INTO oauth_scopes SELECT id, unnest(ARRAY['email', 'profile']) FROM oauth_providers;
INSERT INTO oauth_accounts (user_id, provider_id, subject)
  SELECT u.id, p.id, p.name || '-' || u.id FROM users u, oauth_providers p WHERE p.id < 3;
INSERT INTO sms_providers (name) VALUES ('twilio'), ('vonage');
INSERT INTO sms_routes (prefix, provider_id, priority)
  VALUES ('+1', 1, 1), ('+1', 2, 2), ('+49', 2, 1), ('+49', 1, 2), ('+91', 1, 1);
INSERT INTO sms_templates VALUES ('code', 'en', 'Your code is {{code}}'),
  ('code', 'de', 'Ihr Code ist {{code}}');
INSERT INTO phone_numbers (user_id, number, verified_at)
  SELECT id, '+1555000' || id, now() FROM users;
INSERT INTO sms_messages (route_id, template_name, template_locale, to_number_id)
  SELECT 1 + n % 5, 'code', 'en', 1 + n % 4 FROM generate_series(1, 400) n;
INSERT INTO sms_deliveries SELECT id, 'delivered' FROM sms_messages;
INSERT INTO sms_usage SELECT date '2026-11-01' + n, p.id, 10 * n, 7 * n
  FROM generate_series(0, 13) n, sms_providers p;
INSERT INTO analytics_events (user_id, name)
  SELECT 1 + n % 4, 'page_view' FROM generate_series(1, 2000) n;
INSERT INTO analytics_daily
  SELECT date '2026-11-01' + n, 'page_view', 100 + n FROM generate_series(0, 13) n;
INSERT INTO audit_log (user_id, action)
  SELECT 1 + n % 4, 'login' FROM generate_series(1, 200) n;
INSERT INTO api_keys (user_id, key_hash, name)
  SELECT id, encode(sha256(convert_to(username, 'UTF8')), 'hex'), 'default' FROM users;
INSERT INTO settings VALUES ('signup', '"closed"'), ('sms.default_locale', '"en"')
"""


async def people(database: Any) -> None:
    for name in PEOPLE:
        secret = os.environ["OWNER" if name == "owner" else "OTHERS"]
        known = {"name": name, "email": f"{name}@example.com", "hash": hasher.hash(secret)}
        await rows(database, PERSON, twice=name == "grace", **known)


async def roles(database: Any) -> None:
    for role, permissions in ROLES.items():
        await rows(database, "INSERT INTO roles (name) VALUES (:name)", name=role)
        for permission in permissions:
            made = "INSERT INTO permissions (name) VALUES (:name) ON CONFLICT DO NOTHING"
            await rows(database, made, name=permission)
            given = "INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p"
            which = f"{given} WHERE r.name = :role AND p.name = :permission"
            await rows(database, which, role=role, permission=permission)
    for name, had in HAVE.items():
        for role in had:
            given = "INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r"
            which = f"{given} WHERE u.username = :name AND r.name = :role"
            await rows(database, which, name=name, role=role)


async def fill() -> None:
    async with engine().begin() as database:
        await people(database)
        await roles(database)
        for statement in REST.split(";\n"):
            known = {"factor": FACTOR} if ":factor" in statement else {}
            await rows(database, statement, **known)


if __name__ == "__main__":
    asyncio.run(fill())
