"""A run in Prometheus's text format, for node_exporter's textfile collector.

prometheus.io/docs/instrumenting/exposition_formats
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from relogin.report.document import all_mended

Sample = tuple[dict[str, str], float]
_SEVERITIES = ("critical", "warning", "note")
_GOOD = ("proven", "healthy")

_HELP = {
    "last_run_timestamp_seconds": "When relogin last ran, Unix time.",
    "exit_code": "What the last run ended with; 0 is good.",
    "reached": "Whether the host could be reached (1) or not (0).",
    "login_proven": "Whether the last run proved that people can log in.",
    "last_success_timestamp_seconds": "When a run last ended well for this backend, Unix time.",
    "outcome": "How the last run ended; 1 for the outcome that it had.",
    "findings": "Findings that are left, by severity.",
    "mended": "Findings that the last run mended.",
    "changes": "Changes that the last run made.",
    "login_seconds": "How long the login request took.",
    "refused_logins": "What the backend's log says it refused since the run before, by reason.",
    "run_seconds": "How long the last run took for this backend.",
}


def written(document: dict[str, Any], successes: Mapping[tuple[str, str], float]) -> bytes:
    """Give the metrics of a run's document; `successes` are the former ones, in Unix time."""
    found: dict[str, list[Sample]] = {name: [] for name in _HELP}
    for name, labels, value in _samples(document, successes):
        found[name].append((labels, value))
    return "".join(_metric(name, samples) for name, samples in found.items() if samples).encode()


def _samples(
    document: dict[str, Any], successes: Mapping[tuple[str, str], float]
) -> Iterator[tuple[str, dict[str, str], float]]:
    ended = document["began"] + document["seconds"]
    yield "last_run_timestamp_seconds", {}, ended
    yield "exit_code", {}, document["exit"]
    former = dict(successes)
    for host in document["hosts"]:
        yield "reached", {"host": host["host"]}, host["reached"]
        for backend in host["backends"]:
            key = host["host"], backend["backend"]
            if _ended_well(document["purpose"], backend):
                former[key] = ended
            if key in former:
                labels = {"host": key[0], "backend": key[1]}
                yield "last_success_timestamp_seconds", labels, former[key]
            yield from _of_backend(*key, backend)


def _ended_well(purpose: str, backend: dict[str, Any]) -> bool:
    """Tell whether nobody need be woken: drift that was corrected, and proven, counts as good."""
    if purpose == "drift" and backend["outcome"] == "findings":
        return all_mended(backend)
    return backend["outcome"] in _GOOD


def _of_backend(
    host: str, name: str, backend: dict[str, Any]
) -> Iterator[tuple[str, dict[str, str], float]]:
    labels = {"host": host, "backend": name}
    proof = backend["proof"]
    left = Counter(one["severity"] for one in backend["findings"] if one["state"] != "mended")
    mended = sum(one["state"] == "mended" for one in backend["findings"])
    yield "login_proven", labels, bool(proof and proof["proven"])
    yield "outcome", {**labels, "outcome": backend["outcome"]}, 1
    for severity in _SEVERITIES:
        yield "findings", {**labels, "severity": severity}, left[severity]
    yield "mended", labels, mended
    yield "changes", labels, sum(bool(one["ok"]) for one in backend["changes"])
    yield "run_seconds", labels, backend["seconds"]
    for reason, times in backend["refused_logins"].items():
        yield "refused_logins", {**labels, "reason": reason}, times
    if proof and proof["seconds"] is not None:
        yield "login_seconds", labels, proof["seconds"]


def _metric(name: str, samples: list[Sample]) -> str:
    lines = [f"# HELP relogin_{name} {_HELP[name]}", f"# TYPE relogin_{name} gauge"]
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"relogin_{name}{{{pairs}}} {float(value)!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
