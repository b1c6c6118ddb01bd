"""What a backend's log says of logins, in the words of the runbooks and of real backends."""

import pytest

from relogin.facts.auth_log import AuthLog, read

AT = "2026-11-21T17:00:00.123456789Z 2026-11-21 17:00:00,123"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("WARNING: [AUTH] Login failed: User not found - someone@example.com", "unknown user"),
        (
            "WARNING: [AUTH] Login failed: Password mismatch for a@example.com. Hash length: 60",
            "password differs",
        ),
        (
            "ERROR: [AUTH] bcrypt.checkpw failed: Invalid salt. Hash starts with: $2b$12$",
            "bcrypt cannot read the hash",
        ),
        ("WARNING: [AUTH] JWT expired: Signature has expired", "token expired"),
        ("WARNING: [AUTH] JWT invalid: Signature verification failed", "token invalid"),
    ],
)
def test_a_line_is_counted_by_its_reason(line, reason):
    assert {reason: 2} == read([f"{AT} {line}", "INFO: started", f"{AT} {line}"]).counts


@pytest.mark.parametrize(
    "line",
    [
        "INFO: User not found in the cache",
        "[AUTH] JWT verified successfully for user_id=1",
        "[AUTH] login refused for a@example.com",
    ],
)
def test_what_gives_no_reason_is_not_counted(line):
    assert AuthLog() == read([line])


def test_the_lengths_of_hashes_that_did_not_match_are_kept_and_nobody_s_name():
    found = read(
        f"[AUTH] Login failed: Password mismatch for a@example.com. Hash length: {length}"
        for length in (60, 59, 60)
    )

    assert (60, 59) == found.lengths
    assert "example.com" not in repr(found)


def test_a_refused_start_names_its_keys():
    line = (
        "ERROR: STARTUP FAILED: CRITICAL: Production startup BLOCKED. Missing required secrets:"
        " ADMIN_PRIVATE_KEY (JWT_SECRET), OPENAI_API_KEY"
    )

    assert ("ADMIN_PRIVATE_KEY", "JWT_SECRET", "OPENAI_API_KEY") == read([line]).blocked


def test_what_was_said_between_two_moments_is_counted_by_the_time_that_a_line_begins_with():
    """The journal's form, Docker's, and lines that a backend dates by itself, in no known zone."""
    said = "x: [AUTH] Login failed: User not found"
    log = read(
        f"{time} {said}"
        for time in (
            "2026-11-21T17:00:00+0000",
            "2026-11-21T18:00:01+01:00",
            "2026-11-21T17:00:02.123456789Z",
            "2026-11-21 17:00:03,123",
            "2026-11-21T17:00:04",
        )
    )
    at = 1795280400.0  # date -u -d 2026-11-21T17:00:00 +%s
    assert {"unknown user": 5} == log.counts
    assert {"unknown user": 2} == log.between(at, at + 9)
    assert {"unknown user": 0} == log.between(at + 3, at + 9)
