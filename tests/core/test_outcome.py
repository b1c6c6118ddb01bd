"""What a run ends with: each outcome by what is known, and the worst host's code decides."""

import itertools

import pytest

from relogin import Account, Accounts, Backend, Finding, Login, Secret, Severity
from relogin.facts.proof import Check, Proof
from relogin.outcome import Outcome, code, of, worst
from relogin.run import Entry

LOGIN = Backend(
    "mine",
    accounts=Accounts(present=[Account("ops", password=Secret.kept())]),
    login=Login("http://127.0.0.1/token", account="ops"),
)
PROVEN = Proof("ops", "http://127.0.0.1/token", (Check("login", True, "it worked"),))
REFUSED = Proof("ops", "http://127.0.0.1/token", (Check("login", False, "401"),))
CRITICAL = Finding("it is broken", fault="service.failed")
WARNING = Finding("it will be", fault="venv.old", severity=Severity.WARNING)
NOTE = Finding("known", fault="venv.old", severity=Severity.NOTE)
AMBIGUOUS = Finding("who is it", fault="accounts.ambiguous")
OURS = Finding("we failed", fault="relogin.internal-error")


def entry(*left: Finding, backend: Backend = LOGIN, **fields: object) -> Entry:
    found = {one.key: one for one in left}
    known = {"looked": True, "executed": True, "proof": PROVEN, **fields}
    return Entry("web1", backend, first=found, left=found, **known)  # type: ignore[arg-type]


SITUATIONS = {
    "proven": (entry(), True, "proven"),
    "proven, with a warning left": (entry(WARNING), True, "proven"),
    "diagnosed with a critical finding": (entry(CRITICAL), False, "findings"),
    "diagnosed with a warning": (entry(WARNING), False, "findings"),
    "diagnosed with what is accepted": (entry(NOTE), False, "proven"),
    "refused, and broken": (entry(CRITICAL, proof=REFUSED), False, "not-proven"),
    "never tried": (entry(proof=None), True, "not-proven"),
    "without a login, mended": (entry(proof=None, backend=Backend("a")), True, "not-proven"),
    "without a login, looked at": (entry(proof=None, backend=Backend("a")), False, "healthy"),
    "without a login, not seen": (
        entry(proof=None, backend=Backend("a"), unseen={"venv": "no"}),
        False,
        "error",
    ),
    "only planned": (entry(executed=False, proof=None), True, "planned"),
    "halted": (entry(halted="lost"), True, "error"),
    "never looked at": (entry(looked=False), True, "error"),
    "we failed ourselves": (entry(OURS), False, "error"),
    "withheld": (entry(refused={CRITICAL.key: "too often"}), True, "refused"),
    "disabled": (entry(disabled="by Ada"), True, "refused"),
    "ambiguous": (entry(AMBIGUOUS), True, "refused"),
    "ambiguous, and only looked at": (entry(AMBIGUOUS), False, "findings"),
    "disabled, and only looked at": (entry(disabled="by Ada"), False, "proven"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_has_one_outcome(situation: str) -> None:
    known, changing, expected = SITUATIONS[situation]
    assert expected == of(known, changing=changing).word


def test_a_drift_run_counts_what_it_corrected() -> None:
    known = entry(WARNING)
    known.left = {}
    assert Outcome.PROVEN is of(known, changing=True)
    assert Outcome.FINDINGS is of(known, changing=True, drift=True)


def test_the_worst_host_decides_in_this_order() -> None:
    """4 refused, 1 error, 3 not proven, 2 findings, 0."""
    ranked = ["refused", "error", "not-proven", "findings", "proven"]
    for better, worse in itertools.combinations(reversed(ranked), 2):
        assert code([better, worse]) == code([worse, better]) == code([worse])
    assert [4, 1, 3, 2, 0] == [code([word]) for word in ranked]
    assert code(["unreachable", "not-proven"]) == 1


def test_a_run_without_a_host_is_64() -> None:
    assert (64, None) == (code([]), worst([]))
