"""`Ask` that records: every call is written to the journal as it ends, before anyone uses it.

A call that is recorded already is not made again. That is all there is to resuming a run.
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
    """Records the questions and answers of one run.

    No answer is lost if the database cannot be written: the run goes on in memory, the next write
    also tries what is not recorded yet, and `problem` says so.

    Args:
        ask: answers the questions.
        store: records the answers.
        run_id: the run they belong to.
        recorded: the calls that ended before the run was interrupted.
    """

    def __init__(
        self, ask: Ask, store: Store, run_id: str, recorded: Iterable[Exchange] = ()
    ) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id
        self._recorded = {exchange.key: exchange for exchange in recorded}
        self._unwritten: list[Callable[[], Awaitable[None]]] = []
        self._write_lock = anyio.Lock()
        self._retry_at = 0.0
        self._lasting_problem: str | None = None
        self.problem: str | None = None
        """Why part of the run is not recorded; `None` while all of it is."""

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        if exchange := self._recorded.get(key_of(question)):
            await anyio.lowlevel.checkpoint()
            outcome = exchange.outcome()
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
            last: try even if the file failed a moment ago, because there is no next time.
        """
        self._unwritten.append(write)
        with anyio.CancelScope(shield=True):  # a cancelled run is recorded too
            await self._write_all(last=last)

    def postpone(self, write: Callable[[], Awaitable[None]], error: StoreError) -> None:
        """Keep a write that has just failed for the next time."""
        self._unwritten.append(write)
        self._note_failure(error)

    def _note_failure(self, error: StoreError) -> None:
        self.problem = f"Not all of this run is recorded: {error}"
        self._retry_at = anyio.current_time() + PAUSE

    async def _write_all(self, *, last: bool) -> None:
        async with self._write_lock:
            # One failure pauses all writes, which would wait for the same lock: a run must not
            # spend its time in a queue for the file.
            while self._unwritten and (last or anyio.current_time() >= self._retry_at):
                try:
                    await self._unwritten[0]()
                except StoreError as error:
                    self._note_failure(error)
                    return
                except (ValueError, OverflowError) as error:
                    # No database will ever take this one, so it must not hold up those behind it.
                    self._lasting_problem = f"Something of this run cannot be recorded: {error}"
                del self._unwritten[0]
        if not self._unwritten:
            self.problem = self._lasting_problem
