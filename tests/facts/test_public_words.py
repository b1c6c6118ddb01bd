"""What the description itself shows is no secret, wherever it is read: it is not blotted out."""

import base64

from relogin import EnvFile, Secret
from relogin.facts import env_file, source
from relogin.facts.env_file import MissingEnvFile
from relogin.redaction import redact
from relogin.remote import Answer

DECLARED = EnvFile("/srv/mine/.env", keys={"KEY": Secret.kept()}, readers="python-dotenv")


def framed(name: str, text: str) -> Answer:
    body = base64.b64encode(f"{text}\n#rc=0".encode()).decode()
    return Answer(f"{name}\t{body}\n#rc 0".encode(), 0)


def test_a_copy_of_an_earlier_run_makes_no_secret_of_what_the_description_shows():
    copy = framed("000", "KEY=canary-of-a-copy\nUSER=shown-in-a-copy\n")
    lost = MissingEnvFile("/srv/mine/.env", "", "/srv/mine/.env", None, ())
    state = env_file.with_kept(lost, DECLARED, copy, public={"shown-in-a-copy"})

    assert {"KEY": "canary-of-a-copy"} == state.kept
    assert "shown-in-a-copy, ***" == redact("shown-in-a-copy, canary-of-a-copy")


def test_nor_does_another_env_file_in_the_folder():
    other = framed("./old/.env", "KEY=canary-of-another\nUSER=shown-in-another\n")
    found = source.parse("/srv/mine", other, public={"shown-in-another"})

    assert ["/srv/mine/old/.env"] == list(found.others)
    assert "shown-in-another, ***" == redact("shown-in-another, canary-of-another")
