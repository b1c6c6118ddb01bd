"""A backend that logs people in, its backups, and restores of them as a person runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.server import Server

from .backups import PASSWORD, Backed
from .shop_backend import SECRET, hashed, logged_in, shop

MORE = """
    login=Login(
        "{url}/login", "ada", body="json",
        fields={{"name": "{{login}}", "password": "{{password}}"}},
        token="token", protected="{url}/me", identity="name", deadline=8),
    token=Jwt(Secret.seen({secret!r})),
    {backup}
"""
ADA = "ada's own password"


class Restoring(Backed):
    """The same with a backend that logs people in."""

    url = ""

    def described(self, backup: str = "") -> None:
        self.describe(MORE.format(url=self.url, secret=SECRET, backup=backup))
        inventory = self.folder / "inventory.py"
        known = f'Account("ada", password=Secret.seen({ADA!r}))'
        inventory.write_text(inventory.read_text().replace('Account("ada")', known))

    def back_up(self) -> str:
        code, said = self.run("backup")
        assert 0 == code, said
        return self.backups()[-1].name

    def restore(self, *words: str) -> tuple[int, str]:
        return self.run("restore_backup", *words)

    def names(self) -> str:
        return self.sql("SELECT string_agg(name, ',' ORDER BY id) FROM shop.users")

    def databases(self) -> list[str]:
        found = self.sql(f"SELECT datname FROM pg_database WHERE datname ^@ '{self.database}'")
        return sorted(name.removeprefix(self.database) for name in found.splitlines())

    @property
    def place(self) -> str:
        return f"confirm=@local/{self.database}"

    def lets_in(self, name: str = "ada", password: str = ADA) -> bool:
        return logged_in(self.url, name, password) == 200


@pytest.fixture
def backed(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Restoring]:
    made = Restoring(tmp_path, server, f"d{abs(hash(request.node.name)):x}")
    made.sql("DELETE FROM shop.posts; DELETE FROM shop.users")
    for number, (name, password) in enumerate([("ada", ADA), ("bob", "bob's")], 1):
        made.sql(f"INSERT INTO shop.users VALUES ({number}, '{name}', '{hashed(password)}')")
    made.sql(
        "INSERT INTO shop.posts (user_id) VALUES (1), (2); SELECT setval('shop.users_id_seq', 2)"
    )
    address = f"postgresql://app:{PASSWORD}@127.0.0.1:{server.port}/{made.database}"
    with shop(address) as made.url:
        made.described()
        yield made
