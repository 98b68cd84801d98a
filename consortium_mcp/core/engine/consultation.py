"""Iterate until settled: members answer, a verdict is reached, the stop rule looks at it.

The engine knows the world only through `Ask`. It raises nothing for a model's failure: a failed
member is data on its response, a failed arbiter degrades the verdict, and a run without any answer
comes back with the status `failed` and the reason.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import anyio
import anyio.lowlevel

from consortium_mcp.core.confidence.stop_rules import stop_reason
from consortium_mcp.core.domain.errors import BudgetExceeded
from consortium_mcp.core.domain.verdict import Iteration, Response
from consortium_mcp.core.engine.ending import ended, ended_without_answers
from consortium_mcp.core.engine.events import Asked, Event, HearingEnded, Judged
from consortium_mcp.core.engine.hearing import Hearing, quorum_missed
from consortium_mcp.core.engine.responses import cut_response, response_to
from consortium_mcp.core.judging.arbitration import best_supported
from consortium_mcp.core.strategies import get_strategy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run, StopReason


async def consult(
    run: Run, ask: Ask, on_event: Callable[[Event], Awaitable[None]], late: TaskGroup
) -> Run:
    """Take a run from `working` to its end.

    Args:
        run: a run with no iterations yet, or one that was interrupted: it goes on after its last
            iteration, with the responses in `unjudged` where their hearing had ended.
        ask: puts a question to a model; see `ask.Ask`.
        on_event: told of every wave, every response, every end of hearing and every verdict, in
            order, before the run goes on.
        late: where members live. One that the quorum cut off goes on there after this returns, so
            that an answer already paid for can still land with whoever stands behind `ask`.

    Returns:
        The run with a final status and a stop reason.
    """
    return await _Consultation(run, ask, on_event, late).to_the_end()


class _Consultation:
    """One run on its way."""

    def __init__(
        self,
        run: Run,
        ask: Ask,
        on_event: Callable[[Event], Awaitable[None]],
        late: TaskGroup,
    ) -> None:
        self._run = run
        self._ask = ask
        self._on_event = on_event
        self._late = late
        self._strategy = get_strategy(run.config.strategy)
        seconds = run.config.deadline_seconds or math.inf
        self._deadline = anyio.current_time() + seconds - run.elapsed
        # With answers in hand, members are not heard so long that nobody could weigh them.
        judging = min(run.config.arbiter_timeout, seconds / 4)
        self._hearing_ends = self._deadline - judging
        self._out: set[str] = set()
        """Labels of members that were cut off and are still out: not asked twice at once."""

    async def to_the_end(self) -> Run:
        """Iterate until the stop rule is content."""
        if self._run.iterations and (reason := self._reason_to_stop()):
            return ended(self._run, reason)  # interrupted between its last verdict and its end
        while True:
            responses = self._run.unjudged or await self._hear()
            if not any(response.answered for response in responses):
                return ended_without_answers(self._run, responses, late=self._is_late())
            iteration = await self._judge(responses)
            iterations = (*self._run.iterations, iteration)
            self._run = self._run.model_copy(update={"iterations": iterations, "unjudged": ()})
            await self._on_event(Judged(self._run))
            if reason := self._reason_to_stop():
                return ended(self._run, reason)

    def _is_late(self) -> bool:
        return anyio.current_time() >= self._deadline

    def _reason_to_stop(self) -> StopReason | None:
        last = self._run.iterations[-1]
        if last.cut or any(response.error_kind == "budget" for response in last.responses):
            return last.cut or "budget"
        reason = stop_reason(self._run)
        if reason is None and self._is_late():
            return "deadline"
        if reason is None and quorum_missed(self._run.config, last.responses):
            return "quorum"
        settled = len(self._run.iterations) >= self._run.config.min_iterations
        if reason is None and settled and not self._strategy.another_pays(self._run):
            return "stable"
        if reason is None and not self._another_iteration_fits():
            return "budget"
        return reason

    def _another_iteration_fits(self) -> bool:
        """Whether `max_calls` leaves room for all members and the arbiter once more."""
        limit = self._run.config.max_calls
        asked = [r for it in self._run.iterations for r in it.responses if r.error_kind != "out"]
        exchanges = len(asked) + len(self._run.iterations)
        members = len(self._strategy.next_wave(self._run, ()))
        return limit is None or exchanges + members + 1 <= limit

    async def _hear(self) -> tuple[Response, ...]:
        """All responses of the next iteration, in panel order."""
        responses: list[Response] = []
        asked = 0
        while wave := self._strategy.next_wave(self._run, responses):
            asked += len(wave)
            labels = tuple(member.label for member in wave)
            await self._on_event(Asked(len(self._run.iterations) + 1, labels))
            responses += await self._hear_wave(wave, tuple(responses), asked)
            if anyio.current_time() >= self._hearing_ends:
                break
        heard = tuple(responses)
        await self._on_event(HearingEnded(len(self._run.iterations) + 1, heard))
        return heard

    async def _hear_wave(
        self, wave: Sequence[Member], before: tuple[Response, ...], asked: int
    ) -> list[Response]:
        """The responses of these members: of all, or of a quorum after its grace."""
        hearing = Hearing(len(self._run.iterations) + 1, self._run.config, before, asked)
        so_far = self._run.model_copy(update={"unjudged": before})
        to_ask = [member for member in wave if member.label not in self._out]
        for member in to_ask:
            self._out.add(member.label)
            question = self._strategy.question_for(member, so_far)
            left = max(0.001, self._deadline - anyio.current_time())
            timeout = min(question.timeout, left)
            question = question.model_copy(update={"timeout": timeout})
            self._late.start_soon(self._hear_member, question, hearing)
        landed = await hearing.until_enough(
            len(to_ask), ends=self._hearing_ends, deadline=self._deadline
        )
        late = anyio.current_time() >= min(self._hearing_ends, self._deadline)
        asked_now = {member.label for member in to_ask}
        return [
            landed.get(member.label)
            or cut_response(member, late=late, asked=member.label in asked_now)
            for member in wave
        ]

    async def _hear_member(self, question: Question, hearing: Hearing) -> None:
        with anyio.CancelScope(deadline=self._deadline):
            response = await response_to(question, self._ask)
            self._out.discard(question.label)
            # One that was cut off meanwhile is not lost: whoever stands behind `ask` has it.
            if heard := hearing.take(response):
                await self._on_event(heard)

    async def _judge(self, responses: tuple[Response, ...]) -> Iteration:
        """The iteration with its verdict, and what cut the judging off if something did."""
        number = len(self._run.iterations) + 1
        cut: Literal["budget", "deadline"] = "deadline"
        why = "The run's deadline passed before there was a verdict"
        try:
            with anyio.CancelScope(deadline=self._deadline):
                await anyio.lowlevel.checkpoint()  # past the deadline nobody is called any more
                verdict = await self._strategy.judge(self._run, responses, self._ask)
                return Iteration(number=number, responses=responses, verdict=verdict)
        except BudgetExceeded as error:
            cut, why = "budget", f"The budget left no verdict ({error})"
        verdict = best_supported(self._run, responses, why)
        return Iteration(number=number, responses=responses, verdict=verdict, cut=cut)
