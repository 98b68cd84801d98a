"""Where a run goes on once it is recorded: in this process, or wherever a queue brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.services.runs.execution import RunExecution


class Dispatch(Protocol):
    """Sees to it that runs are worked on."""

    outlives: bool
    """Whether a run goes on in another process when the one that works on it ends."""

    def records_in(self, store: Store) -> Store:
        """The journal that records new runs, as those of whoever will work on them."""
        ...

    async def begin(self, execution: RunExecution) -> None:
        """Record a run, if it is not recorded yet, and let somebody work on it.

        Raises:
            StoreError: it cannot be recorded, and must be.
        """
        ...

    async def resume(self, store: Store, run_id: str) -> bool:
        """Let somebody work on an interrupted run; False if it is none any more."""
        ...

    async def cancel(self, store: Store, run_id: str) -> None:
        """Cancel a run that is not worked on here, as its only caller no longer wants it."""
        ...


class InThisProcess:
    """Runs work where they begin.

    Args:
        start: starts a run that is this process's.
        go_on: goes on with one.
    """

    outlives = False

    def __init__(
        self, start: Callable[[RunExecution], None], go_on: Callable[[str], Awaitable[object]]
    ) -> None:
        self._start = start
        self._go_on = go_on

    def records_in(self, store: Store) -> Store:
        """This process's own."""
        return store

    async def begin(self, execution: RunExecution) -> None:
        """Start it; where it cannot be recorded it goes on in memory.

        Raises:
            StoreNewer: a newer version wrote the database.
        """
        await execution.begin()
        self._start(execution)

    async def resume(self, store: Store, run_id: str) -> bool:
        """Claim it and go on with it."""
        if not await store.claim(run_id):
            return False
        await self._go_on(run_id)
        return True

    async def cancel(self, store: Store, run_id: str) -> None:
        """Runs of other processes are theirs."""
