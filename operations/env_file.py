"""Ensure that the env files are there, have their declared keys and no other readers."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.mend import mend
from relogin.operations.env_file_bytes import BYTE_ORDER_MARK, CRLF, NOT_UTF8
from relogin.operations.env_file_differ import FILES_DIFFER
from relogin.operations.env_file_forbidden import EXTRA_KEY_FORBIDDEN
from relogin.operations.env_file_keys import KEY_EMPTY, KEY_MISSING, KEY_NOT_DECLARED_VALUE
from relogin.operations.env_file_lines import KEY_TWICE, UNPARSABLE_LINE
from relogin.operations.env_file_missing import MISSING
from relogin.operations.env_file_placeholder import PLACEHOLDER
from relogin.operations.env_file_readers import READERS_DISAGREE
from relogin.operations.env_file_rights import READABLE_BY_OTHERS, WRONG_OWNER
from relogin.operations.env_file_url import DATABASE_URL_UNPARSABLE
from relogin.operations.env_file_used import OTHER_FILE_USED, TRACKED_BY_GIT

if TYPE_CHECKING:
    from relogin.backend import Backend

# What makes a file unreadable as a whole, then what hides its keys, then the keys themselves.
FAULTS = (
    MISSING,
    NOT_UTF8,
    WRONG_OWNER,
    BYTE_ORDER_MARK,
    UNPARSABLE_LINE,
    READERS_DISAGREE,
    KEY_MISSING,
    KEY_EMPTY,
    PLACEHOLDER,
    DATABASE_URL_UNPARSABLE,
    KEY_NOT_DECLARED_VALUE,
    KEY_TWICE,
    FILES_DIFFER,
    EXTRA_KEY_FORBIDDEN,
    OTHER_FILE_USED,
    READABLE_BY_OTHERS,
    CRLF,
    TRACKED_BY_GIT,
)


@operation()
def keys(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the env files are there, with their declared keys, for those who need them.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
