"""Errors that a person caused and can mend: pyinfra prints them as one line."""

from __future__ import annotations

from pyinfra.api.exceptions import PyinfraError


class ProfileError(PyinfraError, ValueError):
    """Raised while an inventory loads: a backend's description contradicts itself."""

    __traceback__ = (
        None  # pyinfra would name the line of ours that raises; the message names theirs
    )


class UsageError(PyinfraError, ValueError):
    """Raised before anything is touched: this run was asked for something that cannot be."""

    __traceback__ = None
