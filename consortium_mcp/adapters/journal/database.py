"""The SQLite file that all processes of this machine share: opening, migrating, locking, errors.

Each write starts with `BEGIN IMMEDIATE`. A deferred transaction that finds the lock taken fails at
once, however long the timeout (measured with four processes: 105 of 400 runs were saved, and 400 of
400 with IMMEDIATE). All work runs in threads, so that a lock held elsewhere never blocks the event
loop. Reads have a connection of their own, so that none waits behind a write that waits for a lock.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from sqlite_utils import Database

from consortium_mcp.adapters.databases.lease import ONE_PERSON
from consortium_mcp.adapters.journal.migrations import additions, migrations
from consortium_mcp.adapters.journal.search_index import SearchIndex
from consortium_mcp.adapters.sqlite.connection import (
    ALONE_SECONDS,
    BUSY,
    STUCK_SECONDS,
    Connection,
    transaction,
    use_wal,
    wait_until,
)
from consortium_mcp.adapters.sqlite.damage import (
    Identity,
    SetAside,
    all_set_aside,
    identity_of,
    is_damage,
    may_be_ours,
    set_aside,
)
from consortium_mcp.adapters.sqlite.patience import PATIENCE_SECONDS, Patience, current_patience
from consortium_mcp.adapters.sqlite.read_only import connect_read_only
from consortium_mcp.core.domain.errors import StoreBusy, StoreNewer, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from consortium_mcp.adapters.databases import database

T = TypeVar("T")
POLL_SECONDS = 0.5
"""How often the run of another process is looked at."""
_REMEDIES = {
    sqlite3.SQLITE_FULL: "Free some space",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable",
    sqlite3.SQLITE_IOERR: "Check the disk, and whether it is full",
    sqlite3.SQLITE_CANTOPEN: "Make sure that it is a file, and that you may read and write it and "
    "its folder",
    sqlite3.SQLITE_PERM: "Make the file and its folder writable",
}


class DatabaseFile:
    """The file, opened at first use.

    Args:
        path: the file; it and its folders are created if missing.
        busy_seconds: how long a call that stands alone waits for a lock that another process holds;
            see `patience` for those that belong together.

    Every method raises:
        StoreUnavailable: the file cannot be used now; the message names it and the remedy.
        StoreBusy: another process held a lock for too long.
        StoreNewer: a newer version of this software wrote the file.
    """

    lease = ONE_PERSON

    def __init__(self, path: Path, busy_seconds: float = PATIENCE_SECONDS) -> None:
        self.path = path
        self.name = str(path)
        self.set_aside: tuple[SetAside, ...] = ()
        """Damaged databases of this name that lie beside it, as last seen."""
        self.begun_anew = 0
        """How often another file has taken the place of the one in use."""
        self._busy_seconds = busy_seconds
        self._current: Identity | None = None
        """The file that was written to last."""
        self._checked: Identity | None = None
        """The file that was checked and migrated."""
        self._writer = Connection()
        # A database in memory is one connection's own.
        self._reader = self._writer if str(path) == ":memory:" else Connection()

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change in one transaction, and return what it returns."""

        def work(connection: sqlite3.Connection) -> T:
            with transaction(connection):
                return change(connection)

        # Shielded: an answer that was paid for is recorded even if its run is cancelled just now.
        with anyio.CancelScope(shield=True):
            result: T = await self._in_thread(self._writer, work)
        return result

    async def write_one(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Make a change of one statement; how many rows it changed."""
        return await self.write(lambda connection: connection.execute(sql, values).rowcount)

    async def read(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query."""
        return await self._in_thread(
            self._reader, lambda connection: list(connection.execute(sql, values))
        )

    def clock(self) -> float:
        """Seconds since the epoch, the same for every process of this machine."""
        return time.time()

    def alone(self, connection: database.Connection, key: str) -> None:
        """Nothing needs to be done: the file has one writer at a time."""

    @asynccontextmanager
    async def watching(self, run_id: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Nobody tells of changes of a file, so the function waits until it is time to look."""
        del run_id
        yield partial(anyio.sleep, POLL_SECONDS)

    def pulse(self) -> None:
        """Runs of one person do not keep their event loop from writing heartbeats."""

    def search_index(self) -> SearchIndex:
        """The index of what runs say."""
        return SearchIndex(self)

    async def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._checked = None
        with anyio.CancelScope(shield=True):
            for each in (self._writer, self._reader):
                async with each.turn:
                    await anyio.to_thread.run_sync(each.close, limiter=each.thread)

    async def _in_thread(
        self, connection: Connection, work: Callable[[sqlite3.Connection], T]
    ) -> T:
        shared = current_patience()
        patience = shared or Patience(self._busy_seconds)
        if not await connection.take_turn(patience, STUCK_SECONDS if shared else ALONE_SECONDS):
            raise StoreBusy(
                f"The database {self.path} is still busy with an earlier request of this program. "
                "Try again; if that does not help, check the disk, and whether it is full."
            )
        try:
            with patience.spent():
                until = time.monotonic() + patience.left
                return await anyio.to_thread.run_sync(
                    partial(self._work, connection, work, until), limiter=connection.thread
                )
        finally:
            connection.end_turn()

    def _work(
        self, connection: Connection, work: Callable[[sqlite3.Connection], T], until: float
    ) -> T:
        """Do it; if the file is damaged, do it in a new one."""

        def attempt() -> T:
            with connection.used:
                return work(self._opened(connection, until))

        with self._translated_errors():
            try:
                return attempt()
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                connection.close()
            try:
                return attempt()  # another process may have begun a new file just now
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._replace(connection, error)
            return attempt()

    def _replace(self, connection: Connection, error: sqlite3.Error) -> None:
        """Set the damaged file aside, or raise the reason why that cannot be done."""
        damaged = connection.identity or identity_of(self.path)
        if not may_be_ours(self.path):
            raise StoreUnavailable(
                f"{self.path} is no database ({error}), and neither is its name that of one, so it "
                "was left as it is. Set CONSORTIUM_DB to a file of its own."
            ) from error
        for each in (self._writer, self._reader):  # Windows renames no file that is open
            each.close_unless_used()
        try:
            set_aside(self.path, damaged)
        except (OSError, sqlite3.Error) as why:
            raise StoreUnavailable(
                f"The database {self.path} is damaged ({error}) and could not be set aside: {why}. "
                "End the programs that have it open and rename it, or set CONSORTIUM_DB to another "
                "file."
            ) from error

    def _opened(self, connection: Connection, until: float) -> sqlite3.Connection:
        """The open connection; it gives up waiting for a lock at this time."""
        if connection.opened is not None and connection.identity != self._identity():
            connection.close()  # the file was set aside or deleted, by whomever
        if connection.opened is None:
            connection.opened = self._open(until)
            connection.identity = self._identity()
        wait_until(connection.opened, until)
        return connection.opened

    def _identity(self) -> Identity | None:
        return identity_of(self.path)

    def _open(self, until: float) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            self._prepare(Database(connection, execute_plugins=False), until)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, db: Database, until: float) -> None:
        """Check that the file is ours, and bring it up to date, if it was not done already."""
        identity = self._identity()
        if identity is not None and identity == self._checked:
            return
        wait_until(db.conn, until)
        self._check(db)
        use_wal(db.conn, until)
        if migrations.pending(db) or additions.pending(db):
            wait_until(db.conn, until)
            with transaction(db.conn):  # another process may be migrating just now
                migrations.apply(db)
                additions.apply(db)
        self.begun_anew += self._current not in {None, identity}
        self._current = self._checked = identity
        self.set_aside = all_set_aside(self.path)

    def _check(self, db: Database) -> None:
        known = {migration.name for migration in migrations._migrations}  # noqa: SLF001 (no public list)
        done = [each.name for each in migrations.applied(db)]
        unknown = [name for name in done if name not in known]
        if unknown:
            raise StoreNewer(
                f"{self.path} was written by a newer consortium-mcp (it knows {unknown[-1]}). "
                "Upgrade this one, or set CONSORTIUM_DB to another file."
            )
        foreign = {*db.table_names()} - {migrations.migrations_table}
        if foreign and not done:
            raise StoreUnavailable(
                f"{self.path} is a database of another program (with the table "
                f"{min(foreign)}), so nothing was written to it. Set CONSORTIUM_DB to a file of "
                "its own."
            )

    def _busy(self) -> StoreBusy:
        return StoreBusy(
            f"The database {self.path} is locked by another program. Is it open in a database "
            "browser with changes that are not saved yet? Save or discard them there."
        )

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # The low byte is the primary result code: https://sqlite.org/rescode.html
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in BUSY:
                raise self._busy() from error
            remedy = f"{_REMEDIES[code]}, or set" if code in _REMEDIES else "Set"
            raise StoreUnavailable(
                f"The database {self.path} cannot be used: {error}. {remedy} CONSORTIUM_DB to "
                "another file."
            ) from error
        except OSError as error:
            raise StoreUnavailable(
                f"The folder of the database {self.path} cannot be made: {error.strerror}. "
                "Set CONSORTIUM_DB to a file in a folder that can be written."
            ) from error


class UntouchedFile(DatabaseFile):
    """A database that is only read: neither it nor a file beside it is written or made.

    It is not brought up to date either: what its version lacks cannot be read.
    """

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Refuse.

        Raises:
            StoreUnavailable: always.
        """
        del change
        raise StoreUnavailable(f"{self.path} is only read here.")

    def _open(self, until: float) -> sqlite3.Connection:
        connection = connect_read_only(self.path, max(0.0, until - time.monotonic()))
        connection.row_factory = sqlite3.Row
        return connection

    def _replace(self, connection: Connection, error: sqlite3.Error) -> None:
        del connection
        raise error
