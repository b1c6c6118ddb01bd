"""The words of a verdict that every form of it has in common."""

from __future__ import annotations

# The purposes of runs that mend nothing by themselves.
ONLY_LOOK = frozenset({"diagnose", "check", "probe"})
NOT_PROVEN = {
    None: "the login could not be tried",
    False: "people cannot log in",
    True: "people can log in, but not all is as it must be",
}
NOT_OUTSIDE = "the login works on the host itself, but not at its public URL"
CAUSES = {
    "corrective": "corrective: the description is the one that was applied last; the host changed",
    "intentional": "intentional: the description changed",
}
CHANGED_BY = {
    "corrective": "something on the host, not the description",
    "intentional": "the description",
}
# Which checks of a proof stand in one line, by their families, and how it begins.
GROUPS = (
    ("", ("login",)),
    ("token: ", ("token", "algorithm", "signature", "subject", "expiry")),
    ("", ("protected", "identity")),
    ("", ("refresh",)),
    ("", ("probe",)),
    ("", ("token-url",)),
    ("", ("cors",)),
    ("", ("public",)),
    ("refused: ", ("unprotected", "wrong-password", "forged")),
)
# What a run with a document of this title was about, and how that is said to be well.
SUBJECTS = {
    "Database health": ("the database", "is sound"),
    "API": ("the API", "answers as declared"),
}
EXITS = {
    0: "the login is proven",
    1: "a host could not be reached or looked at, or relogin itself failed",
    2: "people can log in, but something was found",
    3: "the login is not proven",
    4: "refused",
    64: "nothing was looked at",
}
# What they say where no login is tried: of a check and of a probe.
JUDGED_EXITS = {**EXITS, 0: "nothing was found", 2: "something was found"}
