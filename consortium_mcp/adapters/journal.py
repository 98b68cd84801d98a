"""`Ask` with a memory: every call is recorded the moment it lands, before anyone uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.errors import MemberError

if TYPE_CHECKING:
    from consortium_mcp.adapters.store import Store
    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.models import Question, Reply


class Journal:
    """Records what one run asks and hears.

    Args:
        ask: who really answers.
        store: where it is recorded.
        run_id: the run it belongs to.
    """

    def __init__(self, ask: Ask, store: Store, run_id: str) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.ask.Ask`."""
        try:
            reply = await self._ask(question)
        except MemberError as error:
            await self._store.save_exchange(self._run_id, question, error)
            raise
        await self._store.save_exchange(self._run_id, question, reply)
        return reply
