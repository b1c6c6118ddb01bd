"""The part of a description that says where the code comes from, and its checkout here."""

import subprocess

import pytest

from relogin import ProfileError, Source, Unreadable, checkout
from relogin.parts.source import revision_fits


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"directory": "srv/app"}, "not an absolute path"),
        ({"directory": "/"}, "the backend's own working tree"),
        ({"directory": "/srv/app", "revision": "--upload-pack=x"}, "is none that git has"),
        ({"directory": "/srv/app", "remote": "--upload-pack=x"}, "is none that git has"),
        ({"directory": "/srv/app", "remote": "https://me:canary@h/x.git"}, "use a deploy key"),
    ],
)
def test_what_git_could_not_take_is_refused_without_its_secret(fields, said):
    with pytest.raises(ProfileError, match=said) as refused:
        Source(**fields)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", ["main", "v1.2", "feature/x", "a" * 40, "naïve"])
def test_names_that_git_takes(name):
    assert revision_fits(name)


@pytest.mark.parametrize(
    "name", ["", "-x", "a b", "a..b", "a~1", "a^", "a:b", "a?", "x.lock", "/x", "x/", "a\nb"]
)
def test_names_that_git_takes_for_something_else(name):
    assert not revision_fits(name)


def test_a_revision_of_a_checkout_is_its_commit(tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True)
    git = ["git", "-C", tmp_path, "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    source = Source("/srv/app", checkout=str(tmp_path))
    assert head.stdout.strip() == checkout.commit(source, "main")
    assert isinstance(checkout.commit(source, "nosuch"), Unreadable)
    assert checkout.commit(Source("/srv/app"), "main") == ""
