"""The shop's own commands, as a backend has them that can only be restored into a clean system.

    manage.py migrate | create_backup | system_reinit | restore_backup --from-file FILE

DATABASE_URL comes from the environment, else from the `.env` in the folder; what is in a file
`before-env` says that it is the other way round.
"""

import gzip
import json
import os
import sys
from pathlib import Path

import bcrypt
import psycopg

url = os.environ.get("DATABASE_URL")
if url is None or Path("before-env").exists():
    url = Path("../.env").read_text().partition("=")[2].strip()
command, *words = sys.argv[1:]
with psycopg.connect(url) as database:
    if command == "migrate":
        [there] = database.execute("SELECT to_regclass('shop.users') IS NOT NULL").fetchone() or ()
        if not there:
            database.execute(Path("tables.sql").read_bytes())
    elif command == "create_backup":
        rows = {
            name: [one for (one,) in database.execute(f"SELECT to_jsonb(t) FROM shop.{name} t")]
            for name in ("users", "posts")
        }
        sys.stdout.buffer.write(gzip.compress(json.dumps(rows).encode()))
    elif command == "system_reinit":
        database.execute("DELETE FROM shop.posts; DELETE FROM shop.users")
        known = bcrypt.hashpw(b"test123", bcrypt.gensalt(4)).decode()
        database.execute("INSERT INTO shop.users VALUES (1, 'admin', %s)", [known])
    elif command == "restore_backup":
        read = json.loads(gzip.decompress(Path(words[1]).read_bytes()))
        if not Path("keeps-admin").exists():
            database.execute("DELETE FROM shop.users")
        for name, rows in read.items():
            for row in rows:
                database.execute(
                    f"INSERT INTO shop.{name} SELECT *"
                    f" FROM jsonb_populate_record(NULL::shop.{name}, %s)",
                    [json.dumps(row)],
                )
