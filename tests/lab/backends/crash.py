"""How a crash's damage is made on the host of the backend with 38 tables; every script is root's.

A `kill -9` alone loses nothing: pages are overwritten in the stopped server's files, rules are gone
around, and work is cut in its middle.
"""

from tests.lab.cases.case import PSQL

DATABASE = "hub"
SERVER = "version=$(ls /etc/postgresql); bin=/usr/lib/postgresql/$version/bin"
DATA = "data=/var/lib/postgresql/$version/main"
SQL = f"{PSQL} -d {DATABASE}"


def stopped(script: str) -> str:
    """Run a script while the server is stopped; it has `$bin` and `$data`, then it runs again."""
    return f"""
{SERVER}; {DATA}
{SQL} -c CHECKPOINT
systemctl stop postgresql@$version-main
{script}
systemctl start postgresql@$version-main
"""


def overwritten(*pages: tuple[str, int]) -> str:
    """Overwrite the whole of pages of tables or indexes, by name and block."""
    found = "\n".join(
        f"file{n}=$({SQL} -At -c \"SELECT pg_relation_filepath('{name}')\")"
        for n, (name, _) in enumerate(pages)
    )
    junk = (
        "tr '\\0' '\\245' </dev/zero | dd bs=8192 count=1 iflag=fullblock conv=notrunc status=none"
    )
    torn = "\n".join(
        f'{junk} seek={block} of="$data/$file{n}"' for n, (_, block) in enumerate(pages)
    )
    return found + stopped(torn)


def sql(text: str) -> str:
    return f"{SQL} <<'SQL'\n{text}\nSQL\n"


# Who builds an index concurrently waits for every older transaction, and is cut: what is half done
# stays (PostgreSQL docs, REINDEX).
CUT = f"""
{SQL} -f - >/dev/null <<'SQL' &
BEGIN; INSERT INTO audit_log (action) VALUES ('held'); SELECT pg_sleep(8); ROLLBACK;
SQL
sleep 1
for half in 'REINDEX INDEX CONCURRENTLY api_keys_key_hash_key' \\
  'CREATE INDEX CONCURRENTLY audit_log_action ON audit_log (action)'; do
  ! {SQL} -c "SET statement_timeout = '2s'" -c "$half" 2>/dev/null || exit 1
done
wait
"""
# What a machine may mend: none of it is a row's.
MENDABLE = (
    sql("""
CREATE EXTENSION amcheck;
SELECT setval('messages_id_seq', 5), setval('users_id_seq', 1);
ALTER TABLE sms_usage DROP CONSTRAINT sms_usage_provider_id_fkey;
ALTER TABLE sms_usage ADD CONSTRAINT sms_usage_provider_id_fkey
  FOREIGN KEY (provider_id) REFERENCES sms_providers NOT VALID;
""")
    + CUT
    + overwritten(("messages_conversation", 2), ("sms_deliveries_pkey", 1))
)
MENDED = (
    *("database.index-corrupt", "database.index-leftover", "database.index-invalid"),
    *("database.sequence-behind", "postgres.sequence-behind", "database.constraint-not-valid"),
)
# What is a person's: rows, and what went with them.
LOST = sql("""
SET session_replication_role = replica;
DELETE FROM roles WHERE name = 'analyst';
DELETE FROM sms_providers WHERE name = 'vonage';
SET session_replication_role = origin;
UPDATE pg_index SET indisready = false WHERE indexrelid = 'oauth_scopes_pkey'::regclass;
INSERT INTO oauth_scopes SELECT provider_id, scope FROM oauth_scopes WHERE provider_id = 2;
UPDATE pg_index SET indisready = true WHERE indexrelid = 'oauth_scopes_pkey'::regclass;
DROP TABLE oauth_states;
ALTER TABLE phone_numbers DROP verified_at;
ALTER TABLE sms_usage DROP CONSTRAINT sms_usage_pkey;
ALTER TABLE message_attachments DROP CONSTRAINT message_attachments_bytes_check;
DROP INDEX audit_log_at;
ALTER TABLE api_keys ALTER id DROP DEFAULT;
DROP SEQUENCE api_keys_id_seq;
DELETE FROM settings;
UPDATE mfa_recovery_codes SET user_id = 999 WHERE ctid = (SELECT min(ctid) FROM mfa_recovery_codes);
INSERT INTO sessions (user_id, created_at, expires_at)
  SELECT 1, now() - interval '9 days', now() - interval '2 days' FROM generate_series(1, 10001);
SELECT setval('messages_id_seq', 5);
""") + overwritten(("analytics_events", 3))
# By id: where it is, and what of it is said.
NAMED = {
    "database.table-corrupt": ("public.analytics_events", "SQLSTATE XX001"),
    "database.table-missing": ("public.oauth_states", "no such row in pg_class"),
    "database.column-missing": ("public.phone_numbers:verified_at", ""),
    "database.primary-key-missing": ("public.sms_usage:sms_usage_pkey", "day, provider_id"),
    "database.constraint-missing": ("message_attachments_bytes_check", "bytes >= 0"),
    "database.index-missing": ("public.audit_log_at", "(at)"),
    "database.sequence-missing": ("public.api_keys_id_seq", ""),
    "database.rows-missing": ("public.settings", "0 rows"),
    "database.duplicates": ("public.oauth_scopes_pkey", "2 values: 2, email, 2, profile"),
    "database.orphans": ("user_roles_role_id_fkey", "1 row: 2"),
    "database.sequence-behind": ("public.messages_id_seq", ""),
    "database.expired-rows": ("public.sessions", "10001"),
    "database.answer-differs": ("SMS router", "+1, twilio; +91, twilio"),
    "database.points-nowhere": ("public.mfa_recovery_codes", "1 row: 999"),
}
# Every process of the server at once, while rows are written; those that were acknowledged are in
# /root/acknowledged.
KILLED = f"""
( for n in $(seq 400); do
    {SQL} -c "INSERT INTO audit_log (action) VALUES ('crash $n')" 2>/dev/null && echo $n || break
  done >/root/acknowledged ) &
sleep 3
pkill -KILL -u postgres postgres
wait
"""
