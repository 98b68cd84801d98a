"""The team's PostgreSQL database: connecting, migrating, transactions, errors.

The driver's plain connections are used, in threads, as those of SQLite are: the journal's changes
are functions that take a connection. A pool holds the connections. There are never more threads
than these, so none waits for another one's connection.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.to_thread
import psycopg
from psycopg import conninfo, errors
from psycopg.rows import DictRow, dict_row
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.adapters.postgres.changes import Changes
from consortium_mcp.adapters.postgres.clock import DatabaseTime
from consortium_mcp.adapters.postgres.failures import VARIABLE, store_error
from consortium_mcp.adapters.postgres.migrations import bring_up_to_date
from consortium_mcp.adapters.postgres.pulse import PostgresPulse
from consortium_mcp.adapters.postgres.search import PostgresIndex
from consortium_mcp.adapters.postgres.spelling import spelled
from consortium_mcp.adapters.sqlite.patience import PATIENCE_SECONDS, Patience, current_patience
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.databases import database
    from consortium_mcp.adapters.sqlite.damage import SetAside

T = TypeVar("T")
MOST_CONNECTIONS = 8
"""Of one process, besides the one that listens."""
_CONNECT_SECONDS = 2
"""How long to wait for a server that does not answer; libpq takes no less."""
_POOL_SECONDS = 1.0
"""The least to wait for a connection of the pool: it makes them in a thread of its own."""
_ATTEMPTS = 3
# The server ends the transaction of a process that has stopped in the middle of it: else nobody
# could take over the runs whose rows it has locked.
_END_IDLE = "SET idle_in_transaction_session_timeout = '4s'"


class _Transaction:
    """A connection within a transaction, which understands the journal's SQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[DictRow]:
        text, bound = spelled(sql, values)
        return self._connection.cursor(row_factory=dict_row).execute(text, bound)


class PostgresDatabase:
    """The database, opened at first use; see `databases.database.Database`.

    Args:
        url: its address, with the user and the password.
        busy_seconds: how long a call that stands alone waits for a lock that another process holds.

    Raises:
        ConfigError: the address cannot be read.
    """

    begun_anew = 0
    set_aside: tuple[SetAside, ...] = ()
    lease = TEAM

    def __init__(self, url: str, busy_seconds: float = PATIENCE_SECONDS) -> None:
        self._address = _address(url)
        self.name = _name(self._address)
        """The database, as its users may see it: without the password."""
        self._busy_seconds = busy_seconds
        self._threads = anyio.CapacityLimiter(MOST_CONNECTIONS)
        self._opening = threading.Lock()
        self._pool: ConnectionPool[psycopg.Connection[DictRow]] | None = None
        self._is_suspect = False
        """The last connection was lost, so it is not worth waiting for one of the pool's."""
        self._changes = Changes(self._connected)
        self._pulse = PostgresPulse(self._beating, _Transaction)

    def clock(self) -> DatabaseTime:
        """The database's own time, whatever the clock of this machine says."""
        return DatabaseTime()

    async def write(self, change: Callable[[database.Connection], T]) -> T:
        """Make a change in one transaction, and return what it returns.

        Raises:
            StoreError: see `databases.database.Database`. Where the connection was lost while the
                change was being committed, it may have been made all the same.
        """
        # Shielded: an answer that was paid for is recorded even if its run is cancelled just now.
        with anyio.CancelScope(shield=True):
            result: T = await self._in_thread(_Change(change))
        return result

    async def write_one(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Make a change of one statement, which may be made twice; how many rows it changed.

        It is a transaction by itself, for a third of what `write` takes.
        """
        with anyio.CancelScope(shield=True):
            changed: int = await self._in_thread(
                lambda connection: _Transaction(connection).execute(sql, values).rowcount
            )
        return changed

    async def read(self, sql: str, values: Sequence[Any] = ()) -> list[DictRow]:
        """The rows of a query."""
        return await self._in_thread(
            lambda connection: _Transaction(connection).execute(sql, values).fetchall()
        )

    def alone(self, connection: database.Connection, key: str) -> None:
        """Until the transaction ends, no other one passes here with the same key."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", [key])

    def watching(self, run_id: str) -> AbstractAsyncContextManager[Callable[[], Any]]:
        """While it lasts, the function waits until the run may have changed."""
        return self._changes.watching(run_id)

    def pulse(self) -> PostgresPulse:
        """What writes heartbeats beside the event loop."""
        return self._pulse

    async def maintain(
        self, work: Callable[[psycopg.Connection[tuple[Any, ...]], str], None]
    ) -> None:
        """Change more than rows, on a connection that is in no transaction.

        Args:
            work: makes the change, in a thread; it is given the name that users may see.
        """

        def maintain() -> None:
            with self._translated_errors():
                self._opened()  # the journal's own tables come first
                with self._connected() as connection:
                    work(connection, self.name)

        await anyio.to_thread.run_sync(maintain)

    @property
    def conninfo(self) -> str:
        """The address for other users of the driver, with what we set where it does not say."""
        return conninfo.make_conninfo("", **self._address)

    def hearing(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[set[str]]]]:
        """While it lasts, the function waits for changes and returns the runs that have changed."""
        return self._changes.hearing()

    def search_index(self) -> PostgresIndex:
        """The index of what runs say."""
        return PostgresIndex(self)

    async def close(self) -> None:
        """Close all connections; the next use opens them again."""
        self._changes.close()
        self._pulse.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(pool.close)

    async def _in_thread(self, work: Callable[[psycopg.Connection[DictRow]], T]) -> T:
        patience = current_patience() or Patience(self._busy_seconds)
        with patience.spent():
            left = max(patience.left, _POOL_SECONDS)
            return await anyio.to_thread.run_sync(self._work, work, left, limiter=self._threads)

    def _work(self, work: Callable[[psycopg.Connection[DictRow]], T], seconds: float) -> T:
        with self._translated_errors():
            attempt = 1
            while True:
                with self._opened().connection(seconds) as connection:
                    try:
                        return work(connection)
                    except psycopg.Error as error:
                        if attempt == _ATTEMPTS or not self._may_try_again(error, connection, work):
                            raise
                attempt += 1

    def _may_try_again(
        self, error: psycopg.Error, connection: psycopg.Connection[DictRow], work: object
    ) -> bool:
        if connection.closed:
            self._is_suspect = True
            return not getattr(work, "is_committing", False)
        return isinstance(error, (errors.DeadlockDetected, errors.SerializationFailure))

    def _opened(self) -> ConnectionPool[psycopg.Connection[DictRow]]:
        """The pool; a server that cannot be reached is told at once, with the reason."""
        with self._opening:
            if self._pool is None:
                with self._connected() as connection:
                    bring_up_to_date(connection, self.name)
                self._pool = ConnectionPool(
                    self.conninfo,
                    connection_class=psycopg.Connection[DictRow],
                    min_size=1,
                    max_size=MOST_CONNECTIONS,
                    configure=self._configure,
                    # Nothing is prepared: a plan that is made once for all values walks through
                    # the whole index for a search that most runs match (425 ms instead of 2 ms).
                    kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": None},
                    num_workers=1,
                    open=True,
                )
            elif self._is_suspect:
                self._connected().close()
                self._pool.check()  # the others of the pool are lost as well
            self._is_suspect = False
            return self._pool

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.conninfo, autocommit=True)

    def _beating(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = self._connected()
        connection.execute(_END_IDLE)
        return connection

    def _configure(self, connection: psycopg.Connection[DictRow]) -> None:
        milliseconds = max(1, round(1000 * self._busy_seconds))
        connection.execute(f"SET lock_timeout = {milliseconds}")
        connection.execute(_END_IDLE)
        connection.adapters.register_loader("json", TextLoader)  # as SQLite gives it

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            self._is_suspect = True
            raise store_error(errors.LockNotAvailable(str(error)), self.name) from error
        except psycopg.Error as error:
            raise store_error(error, self.name) from error


class _Change(Generic[T]):
    """A change in a transaction of its own."""

    def __init__(self, change: Callable[[database.Connection], T]) -> None:
        self._change = change
        self.is_committing = False
        """From here on nobody knows whether it was made, if the connection is lost."""

    def __call__(self, connection: psycopg.Connection[DictRow]) -> T:
        self.is_committing = False
        with connection.transaction():
            result = self._change(_Transaction(connection))
            self.is_committing = True
        return result


def _address(url: str) -> dict[str, Any]:
    """The parts of an address, with what we set where it does not say."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigError(  # without the driver's words, which quote the password
            f"{VARIABLE} cannot be read. Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE,"
            " with what is no letter or digit in the password as a code, such as %40 for @."
        ) from None
    defaults = {
        "application_name": "consortium-mcp",
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,  # milliseconds; else a lost network holds a thread for minutes
    }
    return defaults | parts


def _name(address: dict[str, Any]) -> str:
    host = address.get("host") or "the local server"
    port = f":{address['port']}" if "port" in address else ""
    return f"{address.get('dbname') or address.get('user') or 'postgres'} on {host}{port}"
