"""A database as the journal uses it: short transactions, reads, and notes of what others change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.databases.lease import Lease
    from consortium_mcp.adapters.databases.search import SearchIndex
    from consortium_mcp.adapters.sqlite.damage import SetAside

T = TypeVar("T")


class Row(Protocol):
    """One row of a result, by the names of its columns."""

    def keys(self) -> Iterable[str]:
        """The names."""
        ...

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401 (what SQL gives)


class Cursor(Protocol):
    """What a statement has done."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 (a `Row` or `None`)
        """The next row; `None` after the last one."""
        ...

    def fetchall(self) -> Sequence[Any]:
        """The rows that are left."""
        ...


class Connection(Protocol):
    """A connection within a transaction."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Cursor:
        """Run one statement. It is spelled as SQLite spells it, with `?` for each value."""
        ...


class Pulse(Protocol):
    """Makes a change every second, on its own connection, whatever the event loop is busy with.

    It must be used from one event loop.
    """

    def start(self, change: Callable[[Connection], T | None], tell: Callable[[T], object]) -> None:
        """Begin, unless it has begun.

        Args:
            change: makes the change, in a transaction, in a thread; `None` is nothing to tell.
            tell: called in the event loop with what the change returned. A change that fails is not
                told: the next one follows in a second.
        """
        ...

    def close(self) -> None:
        """End it, if it has begun."""
        ...


class Database(Protocol):
    """The journal's database.

    `write`, `write_one`, `read` and `close` raise:
        StoreUnavailable: it cannot be used now; the message names it and the remedy.
        StoreBusy: another process held a lock for too long.
        StoreNewer: a newer version of this software wrote it.
    """

    @property
    def name(self) -> str:
        """The database, as its users may see it."""
        ...

    @property
    def begun_anew(self) -> int:
        """How often another database has taken the place of the one in use."""
        ...

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Damaged databases that lie beside it, as last seen."""
        ...

    @property
    def lease(self) -> Lease:
        """How long the process of a run may be silent."""
        ...

    def clock(self) -> float:
        """Seconds since the epoch, the same for every process that uses this database."""
        ...

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Make a change in one transaction, and return what it returns."""
        ...

    async def write_one(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Make a change of one statement, which may be made twice; how many rows it changed."""
        ...

    async def read(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        """The rows of a query."""
        ...

    def alone(self, connection: Connection, key: str) -> None:
        """Until the transaction ends, no other one passes here with the same key."""
        ...

    def watching(self, run_id: str) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """While it lasts, the function waits until the run may have changed.

        A process that dies changes nothing, so whoever waits should also look now and then.
        """
        ...

    def pulse(self) -> Pulse | None:
        """What writes heartbeats beside the event loop; `None` where the loop does well enough."""
        ...

    def search_index(self) -> SearchIndex:
        """The index of what runs say."""
        ...

    async def close(self) -> None:
        """Close it; the next use opens it again."""
        ...
