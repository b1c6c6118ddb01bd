"""What is taken for a placeholder or a secret that everybody knows, and what is not."""

import base64
import secrets

import pytest

from relogin.placeholders import is_placeholder, publicly_known


@pytest.mark.parametrize(
    "value",
    [
        *(
            "changeme",
            "CHANGEME",
            "change-me",
            "Change_Me!",
            "change this",
            "changethis",
            "replaceme",
        ),
        *("replace-me", "please-change-me", "change_me_in_production", "set-me", "fill-in"),
        *("your-secret-here", "your_secret_key_here", "put your key here", "insert-token-here"),
        *("your-secret-key", "your_password", "my-secret-key", "your-very-long-secret-key"),
        *(
            "<password>",
            "<your secret>",
            "[secret]",
            "{{ secret }}",
            "xxx",
            "XXXXXXXX",
            "***",
            "...",
        ),
        *(
            "todo",
            "TBD",
            "placeholder",
            "example",
            "none",
            "null",
            " changeme ",
            "secret",
            "password",
        ),
    ],
)
def test_what_an_example_left_in_is_a_placeholder(value):
    assert is_placeholder(value)
    assert publicly_known(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        *("xx", "x7", "changed-last-week-9f3", "mechange", "secrets", "Password2Ubuntu!", "todos"),
        *(
            "your-honour-kQ82",
            "there",
            "sphere",
            "my-dog-likes-atmosphere",
            "<3 cats > dogs",
            "a<b>",
        ),
        *("exampled", "nonexistent", "nullable", "yoursecret-8f2c1d", "hereford", "x" * 2, "sxxx9"),
        *("https://example.com", "settle", "changing", "[not closed", "your own way 55"),
    ],
)
def test_what_somebody_may_have_chosen_is_none(value):
    assert not is_placeholder(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "it is the one of FastAPI's tutorial",
        ),
        ("your-256-bit-secret", "it is the one of jwt.io"),
        (
            "django-insecure-3!k2v$=x9",
            "Django's startproject made it for development only",
        ),
        ("Secret", "it is among the first that anybody tries"),
        ("SUPERSECRET", "it is among the first that anybody tries"),
        ("change-me", "it is a placeholder"),
    ],
)
def test_what_everybody_knows_is_told_with_its_origin(value, why):
    assert why == publicly_known(value)


def test_what_a_generator_makes_is_never_known():
    made = [make() for _ in range(2000) for make in (_url, _hex, _base64)]
    assert [] == [value for value in made if publicly_known(value) is not None]


def _url() -> str:
    return secrets.token_urlsafe(32)


def _hex() -> str:
    return secrets.token_hex(32)


def _base64() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
