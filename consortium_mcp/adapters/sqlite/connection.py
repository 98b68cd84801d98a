"""A connection that threads use in turn, and what they ask of SQLite on it."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.sqlite.damage import Identity

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
"""Result codes (their low byte) that say that another process holds a lock."""
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

    async def take_turn(self, seconds: float) -> bool:
        """Wait for one's turn; whether it came in time."""
        try:
            self.turn.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(seconds) as waiting:
                await self.turn.acquire()
            return not waiting.cancelled_caught
        return True

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
