"""What a key of an env file has to be: where a lost value comes from, and how one is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import env_text, undo, unit_text
from relogin.facts.env_file import EnvFileState, MissingEnvFile
from relogin.fault import Change
from relogin.operations.url_values import corrected_url
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv
from relogin.secret import Secret, make_value

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Wanted = str | Secret | DatabaseUrl
_IN_FORCE, _ANEW = "from the running process", "made anew"


def readable(backend: Backend, seen: Observation) -> list[tuple[EnvFile, EnvFileState]]:
    """Give the env files that are there and could be read, with how they are declared."""
    pairs = zip(backend.env_files, seen.env_files, strict=True)
    return [(declared, state) for declared, state in pairs if isinstance(state, EnvFileState)]


def minded(backend: Backend, file: EnvFile, state: EnvFileState) -> dict[str, EnvFile]:
    """Give the keys of a file that are declared, each with the file that declares it.

    Those are its own and, of the files before it, those that it overrules.
    """
    earlier = backend.env_files[: backend.env_files.index(file)]
    overruled = {key: one for one in earlier for key in one.keys if key in state.values}
    return overruled | dict.fromkeys(file.keys, file)


def own_keys(backend: Backend, file: EnvFile, state: EnvFileState) -> dict[str, EnvFile]:
    """Give those that the env files' layer minds.

    The JWT secret has a layer of its own, and what former ones there are is a rotation's business.
    """
    token = backend.token
    others = (token.secret, token.former) if token else ()
    return {k: one for k, one in minded(backend, file, state).items() if FromEnv(k) not in others}


def recovered(
    backend: Backend, seen: Observation, declared: EnvFile, key: str
) -> tuple[str | None, str]:
    """Give the value that a lost key gets, and where it comes from; None where it is nowhere.

    A value that is declared is that; any other is put back from where it is still in force. One
    that is nowhere is made anew if it is generated; if it must be kept, it comes from the newest
    copy of the file that a run of ours has kept.
    """
    wanted = declared.keys[key]
    if isinstance(wanted, str):
        return wanted, "the declared value"
    if isinstance(wanted, Secret) and wanted.declared:
        return wanted.reveal(), f"from {wanted!r}"
    if (running := seen.in_process(key)) is not None:
        return running, _IN_FORCE
    if (elsewhere := seen.env(key)) is not None:
        return elsewhere, "from another env file of the backend"
    secret = wanted.password if isinstance(wanted, DatabaseUrl) else wanted
    if secret is not None and secret.source == "kept":
        return _kept(backend, seen, declared, key), "from the copy that an earlier run kept"
    return _made(wanted)


def regained(
    backend: Backend, seen: Observation, declared: EnvFile, state: EnvFileState, key: str
) -> tuple[str | None, str]:
    """Give what `recovered` gives, but make up nothing where a broken line may hold the value.

    A process that systemd has started may have read more than that line (systemd.exec(5), on
    quotes), which is nobody's secret either.
    """
    value, source = recovered(backend, seen, declared, key)
    swallowed = source == _IN_FORCE and value is not None and "\n" in value
    broken = key in state.hidden or key in {problem.key for problem in state.problems}
    if broken and (source == _ANEW or swallowed):
        return None, "its line cannot be parsed"
    return value, source


def _made(wanted: Secret | DatabaseUrl) -> tuple[str, str]:
    if isinstance(wanted, Secret):
        return make_value(), _ANEW
    if wanted.password is None:
        return wanted.with_password(None), "from its declared parts"
    if wanted.password.declared:
        said = f"with the password of {wanted.password!r}"
        return wanted.with_password(wanted.password.reveal()), said
    return wanted.with_password(make_value()), _ANEW


def _kept(backend: Backend, seen: Observation, declared: EnvFile, key: str) -> str | None:
    for each, state in zip(backend.env_files, seen.env_files, strict=True):
        if each.path == declared.path and isinstance(state, EnvFileState | MissingEnvFile):
            value = state.kept.get(key)
            return value and corrected(declared.keys[key], value)[0]
    return None


def corrected(wanted: Wanted, found: str) -> tuple[str | None, str]:
    """Give the value that should be there, and how the one that is there differs ('' if not)."""
    if isinstance(wanted, DatabaseUrl):
        return corrected_url(wanted, found)
    if isinstance(wanted, Secret):
        if not wanted.declared or wanted.reveal() == found:
            return found, ""
        marks = f"{Secret.seen(found).fingerprint()}, declared {wanted.fingerprint()}"
        return wanted.reveal(), f"{len(found)} characters, fingerprint {marks}"
    return wanted, "" if wanted == found else plain(found)


def plain(text: str) -> str:
    """Show what is declared as plain text, and so is no secret; long ones by their length."""
    return repr(text) if len(text) < 40 else f"{len(text)} characters"


def written(
    backend: Backend, declared: EnvFile, state: EnvFileState, values: dict[str, str]
) -> Change:
    """Give the change that writes keys of an env file, every other byte kept.

    Raises:
        env_text.Unwritable: no form of a value is read alike by every declared reader.
    """
    text = _text(declared, state.text, values)
    keys = ", ".join(sorted(values))
    return Change(undo.replaced_file(backend, state, text), f"{declared.path}: write {keys}")


def made(
    backend: Backend,
    declared: EnvFile,
    missing: MissingEnvFile,
    values: dict[str, str],
    *,
    owner: str,
) -> Change:
    """Give the change that makes an env file which is not there.

    Raises:
        env_text.Unwritable: no form of a value is read alike by every declared reader.
    """
    text = _text(declared, "", values)
    return Change(
        undo.made_file(backend, missing.real_path, text, owner=owner, mode=declared.mode),
        f"{missing.real_path}: make it anew with {', '.join(values)}",
    )


def _text(declared: EnvFile, before: str, values: dict[str, str]) -> str:
    try:
        if declared.is_unit:
            return unit_text.with_values(before, values)
        return env_text.with_values(before, values, declared.readers)
    except env_text.Unwritable as error:
        raise env_text.Unwritable(f"{declared.path}: {error}") from None
