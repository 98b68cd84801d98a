"""What PostgreSQL's errors mean for its users, in the words of the journal on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors

from consortium_mcp.core.domain.errors import StoreBusy, StoreError, StoreUnavailable

if TYPE_CHECKING:
    import psycopg

VARIABLE = "CONSORTIUM_DATABASE_URL"
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)
_REMEDIES: tuple[tuple[type[psycopg.Error], str], ...] = (
    (errors.ReadOnlySqlTransaction, "Make it writable, or name the primary server if this is not"),
    (errors.InsufficientPrivilege, "Grant its user the rights to read, write and make tables"),
    (errors.DiskFull, "Free some space"),
    (errors.TooManyConnections, "Allow it more connections"),
    (errors.CannotConnectNow, "Wait until it has started"),
)
_CONNECTING = (
    ("password", "Correct the user and the password"),
    ("authentication", "Correct the user and the password"),
    ("too many", "Allow it more connections"),
    ("remaining connection slots", "Allow it more connections"),
    ("starting up", "Wait until it has started"),
    ("does not exist", "Make it, or correct its name"),
    ("ssl", "Set sslmode as the server wants it"),
)
"""What libpq says when it cannot connect, where there is no code yet, and what then helps."""
_UNREACHABLE = "Start its server, or make it reachable from here"


def store_error(error: psycopg.Error, name: str) -> StoreError:
    """The error for this one.

    Args:
        error: what the driver raised.
        name: the database, as its users may see it.
    """
    if isinstance(error, _BUSY):
        return StoreBusy(
            f"The database {name} is locked by another program for too long. Is it open in a "
            "database browser with changes that are not saved yet? Save or discard them there."
        )
    said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return StoreUnavailable(
        f"The database {name} cannot be used: {said}. {_remedy(error)}, or set {VARIABLE} to "
        "another database."
    )


def _remedy(error: psycopg.Error) -> str:
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return remedy
    if error.sqlstate is not None:
        return "Look into its log"
    said = str(error).casefold()
    return next((remedy for words, remedy in _CONNECTING if words in said), _UNREACHABLE)
