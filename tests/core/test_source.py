"""The part of a description that says where the code comes from, and its checkout here."""

import subprocess
import sys

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


def committed(folder):
    """Make a repository with one commit; give that one's id."""
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    git = ["git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return subprocess.run(
        [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_several_hosts_are_given_the_same_checkout_at_once(tmp_path):
    """As in a run of pyinfra: one greenlet for each host, in a patched process."""
    head = committed(tmp_path)
    code = """
import sys
from gevent import monkey; monkey.patch_all()
import gevent
from relogin import Source, checkout
source = Source("/srv/app", checkout=sys.argv[1])
jobs = [gevent.spawn(checkout.bundle, source, sys.argv[2], "") for _ in range(6)]
gevent.joinall(jobs, raise_error=True)
print(len({job.value for job in jobs}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path, head], capture_output=True, text=True, check=False
    )
    assert ("1\n", 0) == (done.stdout, done.returncode), done.stderr


def test_a_revision_of_a_checkout_is_its_commit(tmp_path):
    head = committed(tmp_path)
    source = Source("/srv/app", checkout=str(tmp_path))
    assert head == checkout.commit(source, "main")
    assert isinstance(checkout.commit(source, "nosuch"), Unreadable)
    assert checkout.commit(Source("/srv/app"), "main") == ""
