"""`Ask` with a memory: every call is recorded the moment it lands, before anyone uses it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consortium_mcp.core.errors import MemberError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.adapters.store import Store
    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.models import Question, Reply


class Journal:
    """Records what one run asks and hears.

    A database that cannot be written while the run goes on loses no answer: the run goes on in
    memory, what was not recorded is tried again at the next occasion, and `trouble` says so.

    Args:
        ask: who really answers.
        store: where it is recorded.
        run_id: the run it belongs to.
    """

    def __init__(self, ask: Ask, store: Store, run_id: str) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id
        self._unwritten: list[Callable[[], Awaitable[None]]] = []
        self.trouble: str | None = None
        """Why something of the run is not recorded; `None` while all is."""

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.ask.Ask`."""
        try:
            reply = await self._ask(question)
        except MemberError as error:
            await self.record(partial(self._store.save_exchange, self._run_id, question, error))
            raise
        await self.record(partial(self._store.save_exchange, self._run_id, question, reply))
        return reply

    async def record(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write now, after what could not be written before; or keep it for the next time."""
        writes, self._unwritten = [*self._unwritten, write], []
        while writes:
            try:
                await writes[0]()
            except StoreError as error:
                self.trouble = f"Not all of this run is recorded: {error}"
                self._unwritten = [*writes, *self._unwritten]
                return
            del writes[0]
        self.trouble = None
