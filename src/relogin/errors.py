"""Errors that a person caused and can mend: pyinfra prints them as one line."""

from __future__ import annotations

from pyinfra.api.exceptions import PyinfraError

# pyinfra puts the file and line that raised before the message: a line of ours, where the message
# names the reader's own. It leaves that out where there is no traceback.
_unplaced = property(lambda error: None, lambda error, traceback: None)


class ProfileError(PyinfraError, ValueError):
    """Raised while an inventory loads: a backend's description contradicts itself."""

    __traceback__ = _unplaced


class UsageError(PyinfraError, ValueError):
    """Raised before anything is touched: this run was asked for something that cannot be."""

    __traceback__ = _unplaced
