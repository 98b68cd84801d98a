"""Notes which calls have begun, so that those that are cut off still count.

A call's exchange is written when it ends. If the process is killed before that, the call was paid
for all the same: this note is what is left of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.lowlevel

from consortium_mcp.adapters.journal.recorder import BEGUN_CALL
from consortium_mcp.core.domain.errors import BudgetExceeded
from consortium_mcp.core.domain.tool_use import WatchedSteps
from consortium_mcp.core.records.exchange import BegunCall, ExchangeKey, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consortium_mcp.adapters.journal.recorder import Recorder
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.ask import Ask, Question, Reply


class BegunCalls:
    """An `Ask` that notes each try before it is made.

    Args:
        ask: makes one try.
        store: keeps the notes.
        run_id: the run whose calls these are.
        begun: the notes of earlier processes.
    """

    def __init__(self, ask: Ask, store: Store, run_id: str, begun: Iterable[BegunCall]) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id
        self._begun: dict[ExchangeKey, BegunCall] = {each.key: each for each in begun}
        self.recorder: Recorder | None = None
        """Writes the notes, as far as the database allows; it asks through this."""

    @property
    def all(self) -> tuple[BegunCall, ...]:
        """Every call that has begun."""
        return tuple(self._begun.values())

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        await self._note(question, 1)
        if question.tools:
            steps = WatchedSteps(question.steps, partial(self._note, question, 1))
            question = question.model_copy(update={"steps": steps})
        try:
            return await self._ask(question)
        except BudgetExceeded:  # it was not made
            await self._note(question, -1)
            raise

    async def _note(self, question: Question, tries: int) -> None:
        key = key_of(question)
        before = self._begun.get(key)
        call = BegunCall(
            iteration=question.iteration,
            role=question.role,
            label=question.label,
            attempt=question.attempt,
            model=question.model,
            tries=(before.tries if before else 0) + tries,
            input_tokens=question.estimated_tokens,
        )
        self._begun[key] = call
        if self.recorder is not None:
            save = partial(self._store.save_begun_call, self._run_id, call)
            await self.recorder.record(BEGUN_CALL, save, str(key))
            # The write may have shown that another process has the run: then no call is made.
            await anyio.lowlevel.checkpoint_if_cancelled()
