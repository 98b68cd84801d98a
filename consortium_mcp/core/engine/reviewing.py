"""An `Ask` for the judging of one iteration: reviews keep within its time, and none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.engine.events import Reviewed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.engine.events import Event

REVIEWERS_SHARE = 0.5
"""Of the time that is left, what reviewers may take: the rest is for the verdict."""


class Reviewing:
    """Asks reviewers like members, and everybody else as it is told.

    A review that nobody waits for any more goes on, so that it is recorded: it was paid for, and a
    resumed run must find it.

    Args:
        ask: makes the calls.
        late: the task group that reviewers' calls run in.
        deadline: when the run must end, in the event loop's time.
        on_event: is called when a review has come or failed.
    """

    def __init__(
        self,
        ask: Ask,
        late: TaskGroup,
        deadline: float,
        on_event: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._ask = ask
        self._late = late
        self._deadline = deadline
        self._on_event = on_event
        self._asked = self._ended = 0

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`.

        Raises:
            BudgetExceeded: the call would exceed the run's budget.
        """
        if question.role != "reviewer":
            return await self._ask(question)
        self._asked += 1
        left = max(0.001, self._deadline - anyio.current_time())
        timeout = min(question.timeout, left * REVIEWERS_SHARE)
        question = question.model_copy(update={"timeout": timeout})
        outcomes: list[Reply | MemberError | BudgetExceeded] = []
        ended = anyio.Event()

        async def call() -> None:
            try:
                outcomes.append(await self._ask(question))
            except (MemberError, BudgetExceeded) as error:
                outcomes.append(error)
            ended.set()

        self._late.start_soon(call)
        await ended.wait()
        self._ended += 1
        await self._on_event(Reviewed(question.iteration, self._ended, self._asked))
        if isinstance(outcomes[0], MemberError | BudgetExceeded):
            raise outcomes[0]
        return outcomes[0]
