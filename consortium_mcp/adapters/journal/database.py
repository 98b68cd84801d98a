"""The SQLite file that all processes of this machine share: opening, migrating, locking, errors.

Each write starts with `BEGIN IMMEDIATE`. A deferred transaction that finds the lock taken fails at
once, however long the timeout (measured with four processes: 105 of 400 runs were saved, and 400 of
400 with IMMEDIATE). All work runs in threads, one at a time, so that a lock held elsewhere never
blocks the event loop.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from sqlite_utils import Database

from consortium_mcp.adapters.journal.migrations import additions, migrations
from consortium_mcp.core.domain.errors import StoreBusy, StoreError, StoreNewer, StoreUnwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
BUSY_SECONDS = 10.0
"""How long to wait for another process's write."""
_WAL_TRIES = 50
_UNWRITABLE = {
    sqlite3.SQLITE_FULL: "Free some space",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable",
    sqlite3.SQLITE_IOERR: "Check the disk",
}


class DatabaseFile:
    """The file, opened at first use.

    Args:
        path: the file; it and its folders are created if missing.
        busy_seconds: how long to wait while another process holds the write lock.

    Every method raises:
        StoreError: the file cannot be used; the message names it and the remedy.
        StoreUnwritable: it cannot be written now: disk full, file read-only, device failing.
        StoreBusy: another process held the write lock for too long.
        StoreNewer: a newer version of this software wrote the file.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._db: Database | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change in one transaction, and return what it returns."""

        def work() -> T:
            with self._translated_errors():
                connection = self._open()
                with _transaction(connection):
                    return change(connection)

        # Shielded: an answer that was paid for is recorded even if its run is cancelled just now.
        with anyio.CancelScope(shield=True):
            result: T = await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)
        return result

    async def read(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query."""

        def work() -> list[sqlite3.Row]:
            with self._translated_errors():
                return list(self._open().execute(sql, values))

        return await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)

    async def close(self) -> None:
        """Close the file; the next use opens it again."""

        def work() -> None:
            if self._db is not None:
                self._db.conn.close()
                self._db = None

        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                connection.row_factory = sqlite3.Row
                db = Database(connection, execute_plugins=False)
                _use_wal(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                self._migrate(db)
            except BaseException:
                connection.close()
                raise
            self._db = db
        return self._db.conn

    def _migrate(self, db: Database) -> None:
        known = {migration.name for migration in migrations._migrations}  # noqa: SLF001 (no public list)
        unknown = [done.name for done in migrations.applied(db) if done.name not in known]
        if unknown:
            raise StoreNewer(
                f"{self.path} was written by a newer consortium-mcp (it knows {unknown[-1]}). "
                "Upgrade this one, or set CONSORTIUM_DB to another file."
            )
        if migrations.pending(db) or additions.pending(db):
            with _transaction(db.conn):  # another process may be migrating just now
                migrations.apply(db)
                additions.apply(db)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # The low byte is the primary result code: https://sqlite.org/rescode.html
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise StoreBusy(
                    f"{self.path} has been locked by another process for "
                    f"{self._busy_seconds:g} s. "
                    "Try again. If it stays locked, find out which process holds the file."
                ) from error
            if code in _UNWRITABLE:
                raise StoreUnwritable(
                    f"The database {self.path} cannot be written: {error}. {_UNWRITABLE[code]}, "
                    "or set CONSORTIUM_DB to another file."
                ) from error
            raise StoreError(
                f"The database {self.path} cannot be used: {error}. Check that the file and its "
                "folder can be written and the disk has room, or set CONSORTIUM_DB to another file."
            ) from error
        except OSError as error:
            raise StoreError(
                f"The folder of the database {self.path} cannot be made: {error.strerror}. "
                "Set CONSORTIUM_DB to a file in a folder that can be written."
            ) from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for the lock here, so simultaneous first starts retry."""
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _WAL_TRIES - 1:
                raise
            time.sleep(0.02 * (attempt % 5 + 1))
        else:
            return
