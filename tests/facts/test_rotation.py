"""What rotations have left on a host, read by a real shell."""

from relogin import Backend
from relogin.facts import rotation
from tests.facts.answers import run


def test_one_that_is_under_way_comes_back_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    script = rotation.kept_script(Backend("mine"), "KEY")
    assert rotation.Rotation() == rotation.parse({"kept": run(script)})
    place = tmp_path / "relogin/mine/rotate/KEY/under-way"
    place.mkdir(parents=True)
    for name, text in {"number": "2", "phase": "back", "former": "one", "new": "two"}.items():
        (place / name).write_text(text)
    found = rotation.parse({"kept": run(script)})
    assert isinstance(found, rotation.Rotation)
    under_way = found.under_way
    assert under_way is not None
    assert (2, "back", str(place)) == (under_way.number, under_way.phase, under_way.where)
    assert ("one", "two", None) == (
        under_way.former.reveal(),
        under_way.new.reveal(),
        under_way.token,
    )
