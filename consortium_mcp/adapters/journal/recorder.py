"""`Ask` with a memory: every call is recorded the moment it lands, before anyone uses it.

And what is recorded already is not called again: that is all that resuming a run is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from consortium_mcp.core.domain.errors import MemberError, StoreError
from consortium_mcp.core.domain.exchange import key_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.exchange import Exchange

PAUSE = 5.0
"""Seconds after a failed write in which the run goes on in memory only."""


class Recorder:
    """Records what one run asks and hears.

    A database that cannot be written while the run goes on loses no answer: the run goes on in
    memory, what was not recorded is tried again at the next occasion, and `trouble` says so.

    Args:
        ask: who really answers.
        store: where it is recorded.
        run_id: the run it belongs to.
        recorded: the calls that landed before the run was interrupted.
    """

    def __init__(
        self, ask: Ask, store: Store, run_id: str, recorded: Iterable[Exchange] = ()
    ) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id
        self._recorded = {exchange.key: exchange for exchange in recorded}
        self._unwritten: list[Callable[[], Awaitable[None]]] = []
        self._writing = anyio.Lock()
        self._not_before = 0.0
        self._lost: str | None = None
        self.trouble: str | None = None
        """Why something of the run is not recorded; `None` while all is."""

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        if known := self._recorded.get(key_of(question)):
            await anyio.lowlevel.checkpoint()
            outcome = known.outcome()
            if isinstance(outcome, MemberError):
                raise outcome
            return outcome
        try:
            reply = await self._ask(question)
        except MemberError as error:
            await self.record(partial(self._store.save_exchange, self._run_id, question, error))
            raise
        await self.record(partial(self._store.save_exchange, self._run_id, question, reply))
        return reply

    async def record(self, write: Callable[[], Awaitable[None]], *, last: bool = False) -> None:
        """Write this after what could not be written before, or keep it for the next time.

        Args:
            write: one write.
            last: try although the file failed a moment ago, for there is no next time.
        """
        self._unwritten.append(write)
        with anyio.CancelScope(shield=True):  # a run that is cancelled is recorded too
            await self._write_all(last=last)

    def postpone(self, write: Callable[[], Awaitable[None]], error: StoreError) -> None:
        """Keep a write that has just failed for the next time."""
        self._unwritten.append(write)
        self._note(error)

    def _note(self, error: StoreError) -> None:
        self.trouble = f"Not all of this run is recorded: {error}"
        self._not_before = anyio.current_time() + PAUSE

    async def _write_all(self, *, last: bool) -> None:
        async with self._writing:
            # One failure speaks for those that would wait for the same lock: a run must not spend
            # its time in a queue before a file.
            while self._unwritten and (last or anyio.current_time() >= self._not_before):
                try:
                    await self._unwritten[0]()
                except StoreError as error:
                    self._note(error)
                    return
                except (ValueError, OverflowError) as error:
                    # No database will ever take this one: it must not hold up those behind it.
                    self._lost = f"Something of this run cannot be recorded: {error}"
                del self._unwritten[0]
        if not self._unwritten:
            self.trouble = self._lost
