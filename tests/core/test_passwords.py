import pytest

from relogin import passwords

RIGHT, WRONG = "correct hörse", "correct horse"

# Made by Django 5.2.19, Werkzeug 3.1.9, passlib 1.7.4, bcrypt 4.3.0 and argon2-cffi 25.1.0,
# some at less than their usual cost.
RECORDED = [
    (
        "django-pbkdf2-sha256",
        "pbkdf2_sha256$1000$asG5JN3YqrfbJUcZYwF9Uf$3zeROZ+ewm6VTduasRBETzr9972eSPuvDq0uU+oo4Xg=",
    ),
    (
        "django-pbkdf2-sha1",
        "pbkdf2_sha1$1000$ZBDWjNnnwlRB9iZagRyYTq$QKIZoNzl/sIfzuPDrys64GXEXyc=",
    ),
    (
        "django-scrypt",
        "scrypt$16384$xrehVqVqwQJyO0W7GtZbx8$8$5$X6msiCwKKHFdmmDvqCdPI4U2Ls0yZQ12M/6ecjSQYb5HSjM+4Fwl8l+my0sSeTAOQ/tKL0kQSp4WR2qpCVlAuQ==",
    ),
    (
        "django-argon2",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$VWZtd0tyallKYndqTlY0eEVaWjdUMQ$3pwf4UjSIlNxhmJthve4mu8oAYNL8djppFJD6v/hHBw",
    ),
    ("django-bcrypt", "bcrypt$$2b$04$awCCR2tPTrhHz3SwAe1qn.Rtf9jRAfT4EzMRJjWJkOgTJa3MCHg1S"),
    (
        "django-bcrypt-sha256",
        "bcrypt_sha256$$2b$04$og15FKjSfJ2UnT620i4Z8usSJP86OlVOWjfhe94jmjY.Ixx6syC.2",
    ),
    (
        "werkzeug-scrypt",
        "scrypt:32768:8:1$hNx3OekvnZfKqH1L$b14e637334c97cbd5be6f7f69a46e9f81dac99b9b81ab612abf71bab7719d56b7fb591919396e6740d13cc13db845c1d7495b55f8a8055e5e148965479702726",
    ),
    (
        "werkzeug-pbkdf2",
        "pbkdf2:sha256:1000$yfK73XLnWkYjcXk2$5906c1057de451a4a315dea187b2a7cd2f67388ca6c616b882bc61cf07b5a324",
    ),
    (
        "werkzeug-pbkdf2",
        "pbkdf2:sha512:1000$bJ8FhkqbfMrQm3BD$870a216b258b605d317cc267836d37c2a8e009f3874ac956c6412cc9e014729a5ea5946cd6ababdeee0c9f78dbc1fad1a0de85d57ec2eff226932dd2d70d5462",
    ),
    (
        "werkzeug-pbkdf2",
        "pbkdf2:sha1:1000$hvKjgr7AjZQBfIfQ$d23fe09bd1a98957269e3c67bfd32188e8305d84",
    ),
    (
        "passlib-pbkdf2-sha256",
        "$pbkdf2-sha256$29000$vHeO8b5XCqG0NoawFgKgtA$gI7ujPS2k.ERtZUo/zaTL88fV5/cNYCPDvBqdR9T9Lc",
    ),
    (
        "passlib-pbkdf2-sha512",
        "$pbkdf2-sha512$25000$zfm/V4oRwjjnXAtBSCnFGA$dWH4GPI4sUF.ZRaXbSBdp1D2PAfiUcJuuaYyitzeRX8vwlDvOj6QpvVhZJdeGktRoTtChMVuXxdQTvJOmtRTwg",
    ),
    (
        "passlib-bcrypt-sha256",
        "$bcrypt-sha256$v=2,t=2b,r=4$HIZwTchrTIBzRZqN8Rf43O$wim6jMCWzEyO166w3fG1xagLf6CEBbu",
    ),
    ("bcrypt", "$2b$04$su2eCmG174vdIB5EO.BKQeFa42nCNKk9gi6xpeSEMBozaI9R0m7mW"),
    ("bcrypt", "$2y$04$dcQJW4IncJ5VbO4BEYH1Je/gLZeStSzh0Pit3j36oLLtHnndqnjiy"),
    ("bcrypt", "$2a$04$Oy1V/jP/RlaQAryEwR1Bfe/Y5LkdqWfJsYJURUWhWd4i0PF.GkNO6"),
    (
        "argon2",
        "$argon2id$v=19$m=65536,t=3,p=4$E8Mpl9pQN2hJcrgKbXMxWA$2RmnJF8Q2rSokZdQxjDeXecDiESRo9BACE7ZWPXAjTU",
    ),
    (
        "argon2",
        "$argon2i$v=19$m=1024,t=2,p=4$6P3/P+cc47xXCkEIIWTMGQ$eWO9Skh6Az/X9yWA2HSt0YXR4OrMzCC0FUoEZV2+/XE",
    ),
]

# Recognised, not judged: crypt(3) and Django's md5.
NOT_JUDGED = [
    ("django-md5", "md5$cihFaNF5YMtQJ9Ex0WDTuD$64b23af2af25185050f8dc2f51763056"),
    (
        "sha512-crypt",
        "$6$rounds=656000$w/5FIWDvWeDPZa7s$5dA97L0R2MyKP0BsUY.ryGZFqBjuQobJmO1hFo/X1WCyVfkdtlRCLt0/Qd9LzFrpueeQQ//MGjfOaTCm/0gyA0",
    ),
    ("sha256-crypt", "$5$rounds=1000$dabW2i8F/7hDIcoB$6/H7V5xhjs84VY.PWcoQqczwn5S7XknZ0L.sGLGRa6C"),
]


@pytest.mark.parametrize(("scheme", "stored"), RECORDED)
def test_a_hash_that_a_library_made_is_recognised_and_verified(scheme, stored):
    assert passwords.Hash(scheme) == passwords.recognise(stored)
    assert passwords.verify(RIGHT, stored) is True


@pytest.mark.parametrize(("scheme", "stored"), RECORDED)
def test_a_wrong_password_does_not_fit(scheme, stored):
    assert passwords.verify(WRONG, stored) is False


@pytest.mark.parametrize(("scheme", "stored"), RECORDED + NOT_JUDGED)
def test_a_hash_that_lost_its_end_is_broken_and_fits_nothing(scheme, stored):
    cut = stored[: stored.rindex("$") + 22] if "argon2" in scheme else stored[:-1]
    assert passwords.Hash(scheme, "broken") == passwords.recognise(cut)
    assert passwords.verify(RIGHT, cut) is False


@pytest.mark.parametrize(("scheme", "stored"), RECORDED)
@pytest.mark.parametrize(
    ("problem", "spoil"),
    [
        ("whitespace", lambda stored: stored + "\n"),
        ("whitespace", lambda stored: " " + stored),
        ("quoted", lambda stored: f"'{stored}'"),
        ("bytes-repr", lambda stored: repr(stored.encode())),
        ("hex", lambda stored: "\\x" + stored.encode().hex()),
    ],
)
def test_a_hash_that_was_wrapped_on_its_way_fits_nothing(scheme, stored, problem, spoil):
    assert passwords.Hash(None, problem) == passwords.recognise(spoil(stored))
    assert passwords.verify(RIGHT, spoil(stored)) is False


@pytest.mark.parametrize(("scheme", "stored"), NOT_JUDGED)
def test_a_crypt_or_md5_hash_is_recognised_but_not_judged(scheme, stored):
    assert passwords.Hash(scheme) == passwords.recognise(stored)
    assert passwords.verify(RIGHT, stored) is None


@pytest.mark.parametrize(
    ("stored", "scheme", "problem"),
    [
        (None, None, "null"),
        ("", None, "empty"),
        (" ", None, "whitespace"),
        ("!mvU55SkF4ASfEmZlM5qINw405TPREGkpLAXoIFX0", None, "unusable"),
        ("hunter2", None, "plaintext"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", None, "plaintext"),
        ("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", None, "unknown"),
        ("sha256$salt$5e88", None, "unknown"),
        ("$2b$99$" + "a" * 53, "bcrypt", "broken"),
        ("$2b$03$" + "a" * 53, "bcrypt", "broken"),
        ("$argon2id$v=19$m=65536", "argon2", "broken"),
        ("pbkdf2_sha256$0$salt$" + "a" * 43 + "=", "django-pbkdf2-sha256", "broken"),
    ],
)
def test_what_is_no_sound_hash_is_named(stored, scheme, problem):
    assert passwords.Hash(scheme, problem) == passwords.recognise(stored)


@pytest.mark.parametrize(
    "stored",
    [
        "$2b$31$" + "a" * 53,
        f"pbkdf2_sha256$9999999999$salt${'a' * 43}=",
        f"scrypt$1073741824$salt$8$1${'a' * 86}==",
        f"$argon2id$v=19$m=99999999,t=9,p=1${'a' * 22}${'a' * 43}",
        "$bcrypt-sha256$2b,12$" + "a" * 22 + "$" + "a" * 31,
    ],
)
def test_a_hash_that_would_take_for_ever_or_that_we_cannot_compute_is_not_judged(stored):
    assert passwords.verify(RIGHT, stored) is None


@pytest.mark.parametrize(
    "stored",
    [
        "$2x$04$" + "." * 53,
        "$2b$04$" + "9" * 53,
        f"scrypt$3$salt$8$1${'a' * 86}==",
        f"scrypt:16384:8:1$sält${'a' * 128}",
        f"$pbkdf2-sha256$1000$abcde${'a' * 43}",
        f"$argon2id$v=18$m=8,t=1,p=1${'a' * 21}${'a' * 43}",
        f"$bcrypt-sha256$v=2,t=2b,r=4${'9' * 22}${'a' * 31}",
        f"werkzeug\0{'a' * 30}",
    ],
)
def test_garbage_in_the_shape_of_a_hash_fits_nothing_and_raises_nothing(stored):
    assert passwords.verify(RIGHT, stored) is False


def test_what_a_hash_is_never_holds_the_hash():
    for _, stored in RECORDED:
        assert stored[-20:] not in repr(passwords.recognise(stored))
    assert "hunter2" not in repr(passwords.recognise("hunter2"))


def test_beyond_72_bytes_bcrypt_is_not_judged_unless_the_first_72_differ():
    """Made by bcrypt 4.3.0 of 80 x; bcrypt 4 takes 72 and 99 x for it too, bcrypt 5 raises."""
    stored = "$2b$04$/eK9ByDkfBZCU0V0GKOA1eJuhbhBi2JEJWeh7DvjWSXKvYlckwtyO"
    assert passwords.verify("x" * 80, stored) is None
    assert passwords.verify("x" * 72, stored) is True
    assert passwords.verify("y" + "x" * 79, stored) is False
    assert passwords.verify("ä" * 36, stored) is False


@pytest.mark.parametrize(
    ("scheme", "start", "length"),
    [
        ("bcrypt", "$2b$12$", 60),
        ("argon2", "$argon2id$v=19$m=65536,t=3,p=4$", 97),
        ("django-pbkdf2-sha256", "pbkdf2_sha256$1000000$", 89),
        ("django-scrypt", "scrypt$16384$", 128),
        ("django-argon2", "argon2$argon2id$v=19$m=102400,t=2,p=8$", 112),
        ("django-bcrypt", "bcrypt$$2b$12$", 67),
        ("django-bcrypt-sha256", "bcrypt_sha256$$2b$12$", 74),
        ("werkzeug-scrypt", "scrypt:32768:8:1$", 162),
        ("werkzeug-pbkdf2", "pbkdf2:sha256:1000000$", 103),
        ("passlib-pbkdf2-sha256", "$pbkdf2-sha256$29000$", 87),
        ("passlib-bcrypt-sha256", "$bcrypt-sha256$v=2,t=2b,r=12$", 83),
    ],
)
def test_what_is_made_verifies_and_has_the_parameters_and_length_of_its_library(
    scheme, start, length
):
    made = passwords.make(RIGHT, scheme)
    assert (start, length) == (made[: len(start)], len(made))
    assert passwords.Hash(scheme) == passwords.recognise(made)
    assert passwords.verify(RIGHT, made) is True


@pytest.mark.parametrize("scheme", ["django-argon2", "werkzeug-scrypt", "passlib-pbkdf2-sha256"])
def test_every_hash_has_a_salt_of_its_own(scheme):
    assert passwords.make("p", scheme) != passwords.make("p", scheme)


@pytest.mark.parametrize("scheme", ["bcrypt", "django-bcrypt"])
@pytest.mark.parametrize("password", ["5ecret" * 13, "ä" * 37, "5ecret\0"])
def test_bcrypt_refuses_a_password_of_which_a_part_would_not_count(scheme, password):
    with pytest.raises(ValueError, match=f"{scheme} (takes 72|does not take)") as caught:
        passwords.make(password, scheme)
    assert "5ecret" not in str(caught.value)


def test_an_unknown_scheme_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="cannot make 'rot13': known are bcrypt, argon2, django-"):
        passwords.make("p", "rot13")
