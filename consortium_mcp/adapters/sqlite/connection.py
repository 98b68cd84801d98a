"""A connection that threads use in turn, and what they ask of SQLite on it."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.sqlite.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.sqlite.damage import Identity
    from consortium_mcp.adapters.sqlite.patience import Patience

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
"""Result codes (their low byte) that say that another process holds a lock."""
STUCK_SECONDS = PATIENCE_SECONDS + 0.5
"""A turn that takes longer than any wait for a lock may not end soon: the disk may hang."""
ALONE_SECONDS = 10.0
"""A call that stands alone waits longer for such a turn: if it gave up, it would have failed.

On a busy machine, a turn that writes the megabytes of a large run takes seconds.
"""
_USUAL_SECONDS = 0.1
"""A turn takes a millisecond, and some tens of them on a busy machine."""
_WAL_SECONDS = 1.0
_WAL_PAUSE = 0.02


class Connection:
    """One connection to the file, and whose turn it is to use it."""

    def __init__(self) -> None:
        self.opened: sqlite3.Connection | None = None
        self.identity: Identity | None = None
        """The file it was opened on."""
        self.turn = anyio.Lock()
        self.thread = anyio.CapacityLimiter(1)
        self.used = threading.RLock()
        self._since = 0.0
        """When the present turn began."""
        self._held_up = 0.0
        """Seconds that turns have taken beyond what they usually take."""
        self._waiting: dict[anyio.CancelScope, float] = {}
        """Who waits for a turn, and how many seconds for the present one."""

    async def take_turn(self, patience: Patience, stuck_seconds: float = STUCK_SECONDS) -> bool:
        """Wait for one's turn; whether it came.

        Args:
            patience: what is spent on what holds the queue up.
            stuck_seconds: how long a turn of another may take.

        Who stands in a queue that moves does not wait for a lock, however long it takes: on a busy
        machine, the writes of many runs take seconds. Only what holds the queue up is spent.
        """
        before = self._held_up
        try:
            self.turn.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.CancelScope(deadline=anyio.current_time() + stuck_seconds) as waiting:
                self._waiting[waiting] = stuck_seconds
                try:
                    await self.turn.acquire()
                finally:
                    del self._waiting[waiting]
            came = not waiting.cancelled_caught
            patience.spend(self._held_up - before if came else stuck_seconds)
            if not came:
                return False
        self._since = time.monotonic()
        return True

    def end_turn(self) -> None:
        """Let the next one have its turn."""
        self._held_up += max(0.0, time.monotonic() - self._since - _USUAL_SECONDS)
        self.turn.release()
        for waiting, seconds in self._waiting.items():
            waiting.deadline = anyio.current_time() + seconds

    def close(self) -> None:
        """Close it, if it is open."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def close_unless_used(self) -> None:
        """Close it, unless another thread works with it just now."""
        if self.used.acquire(blocking=False):
            try:
                self.close()
            finally:
                self.used.release()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write within; it is undone if that fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def wait_until(connection: sqlite3.Connection, until: float) -> None:
    """Have the next statement wait for locks until this time."""
    milliseconds = max(0, round(1000 * (until - time.monotonic())))
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def use_wal(connection: sqlite3.Connection, until: float) -> None:
    """Switch to WAL, if that is not done. All works without it, only slower: a lock is no error.

    SQLite itself may not wait for the lock here, so simultaneous first starts retry.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    until = min(until, time.monotonic() + _WAL_SECONDS)
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY:
                raise
            if time.monotonic() + _WAL_PAUSE >= until:
                return
            time.sleep(_WAL_PAUSE)
        else:
            return
