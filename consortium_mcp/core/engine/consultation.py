"""Iterates until a stop rule applies: members answer, a verdict is reached, the rules are checked.

The engine reaches the outside world only through `Ask`. A model's failure raises nothing: a failed
member is recorded on its response, a failed arbiter degrades the verdict, and a run without any
answer ends with the status `failed` and the reason.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Literal

import anyio
import anyio.lowlevel
import anyio.to_thread

from consortium_mcp.core.confidence.stop_rules import stop_reason
from consortium_mcp.core.domain.errors import BudgetExceeded
from consortium_mcp.core.domain.verdict import Iteration, Response
from consortium_mcp.core.engine.ending import ended, ended_without_answers
from consortium_mcp.core.engine.events import Asked, Event, HearingEnded, Judged
from consortium_mcp.core.engine.hearing import Hearing, quorum_missed
from consortium_mcp.core.engine.responses import cut_response, object_response, response_to
from consortium_mcp.core.engine.reviewing import Reviewing
from consortium_mcp.core.judging.arbitration import best_supported
from consortium_mcp.core.judging.object_agreement import complaint_about, counted_objects
from consortium_mcp.core.prompts.attached import with_attachments
from consortium_mcp.core.strategies import strategy_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run, StopReason


async def consult(
    run: Run, ask: Ask, on_event: Callable[[Event], Awaitable[None]], late: TaskGroup
) -> Run:
    """Take a run from `working` to its end.

    Args:
        run: a new run, or one that was interrupted: it goes on after its last iteration, and judges
            the responses in `unjudged` if there are any.
        ask: puts a question to a model; see `ask.Ask`.
        on_event: is called for each event in order (a wave, a response, the end of hearing, a
            verdict), before the run goes on.
        late: the task group that members' calls run in. A call that the quorum cut off goes on
            there after this returns, so that `ask` still gets an answer that was paid for.

    Returns:
        The run, with a final status and a stop reason.
    """
    return await _Consultation(run, ask, on_event, late).to_the_end()


class _Consultation:
    """One run in progress."""

    def __init__(
        self,
        run: Run,
        ask: Ask,
        on_event: Callable[[Event], Awaitable[None]],
        late: TaskGroup,
    ) -> None:
        self._run = run

        async def ask_with_all(question: Question, /) -> Reply:
            question = with_attachments(question, run)
            if question.role == "member" and run.config.tools:
                question = question.model_copy(update={"tools": run.config.tools})
            return await ask(question)

        self._ask: Ask = ask_with_all
        self._on_event = on_event
        self._late = late
        self._strategy = strategy_of(run.config)
        seconds = run.config.deadline_seconds or math.inf
        self._deadline = anyio.current_time() + seconds - run.elapsed
        # Once there are answers, hearing ends early enough to leave time to judge them.
        judging = min(run.config.arbiter_timeout, seconds / 4)
        self._hearing_ends = self._deadline - judging
        self._out: set[str] = set()
        """Labels of members whose call is still running, even if cut off: not asked twice."""

    async def to_the_end(self) -> Run:
        """Iterate until there is a reason to stop."""
        if self._run.iterations and (reason := self._reason_to_stop()):
            return ended(self._run, reason)  # interrupted after its last verdict
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
        """Whether `max_calls` allows each member, its reviews and the arbiter one more call.

        And whether `max_cost` allows members' calls that cost what the last ones did.
        """
        limit, most_cost = self._run.config.max_calls, self._run.config.max_cost
        costs = [sum(r.cost_usd or 0 for r in it.responses) for it in self._run.iterations]
        if most_cost is not None and sum(costs) + costs[-1] > most_cost:
            return False
        asked = [r for it in self._run.iterations for r in it.responses if r.error_kind != "out"]
        reviews = sum(it.verdict.review.asked for it in self._run.iterations if it.verdict.review)
        exchanges = len(asked) + reviews + len(self._run.iterations)
        members = len(self._strategy.next_wave(self._run, ()))
        fewest = self._strategy.calls(self._run).reviews[0] // self._run.config.min_iterations
        return limit is None or exchanges + members + fewest + 1 <= limit

    async def _hear(self) -> tuple[Response, ...]:
        """All responses of the next iteration, wave by wave."""
        responses: list[Response] = []
        asked = 0
        while wave := self._strategy.next_wave(self._run, responses):
            asked += len(wave)
            labels = tuple(member.label for member in wave)
            await self._on_event(Asked(len(self._run.iterations) + 1, labels))
            responses += await self._hear_wave(wave, tuple(responses), asked)
            if anyio.current_time() >= self._hearing_ends:
                break
        collected = tuple(responses)
        await self._on_event(HearingEnded(len(self._run.iterations) + 1, collected))
        return collected

    async def _hear_wave(
        self, wave: Sequence[Member], before: tuple[Response, ...], asked: int
    ) -> list[Response]:
        """The responses of these members; late ones, after quorum or deadline, are cut."""
        hearing = Hearing(len(self._run.iterations) + 1, self._run.config, before, asked)
        run = self._run.model_copy(update={"unjudged": before})
        to_ask = [member for member in wave if member.label not in self._out]
        for question in await self._questions(to_ask, run):
            self._out.add(question.label)
            seconds_left = max(0.001, self._deadline - anyio.current_time())
            timeout = min(question.timeout, seconds_left)
            in_time = question.model_copy(update={"timeout": timeout})
            self._late.start_soon(self._hear_member, in_time, hearing)
        received = await hearing.until_enough(
            len(to_ask), ends=self._hearing_ends, deadline=self._deadline
        )
        late = anyio.current_time() >= min(self._hearing_ends, self._deadline)
        asked_now = {member.label for member in to_ask}
        return [
            received.get(member.label)
            or cut_response(member, late=late, asked=member.label in asked_now)
            for member in wave
        ]

    async def _questions(self, members: Sequence[Member], run: Run) -> list[Question]:
        """What to ask each of them."""

        def made() -> list[Question]:
            return [self._strategy.question_for(member, run) for member in members]

        if run.config.json_schema is None:
            return made()
        return await anyio.to_thread.run_sync(made)  # large objects take seconds to compare

    async def _hear_member(self, question: Question, hearing: Hearing) -> None:
        with anyio.CancelScope(deadline=self._deadline):
            response = await self._respond(question, hearing)
            self._out.discard(question.label)
            # A response that was cut off meanwhile is not lost: `ask` has it.
            if event := hearing.take(response):
                await self._on_event(event)

    async def _respond(self, question: Question, hearing: Hearing) -> Response:
        if self._run.config.json_schema is None:
            return await response_to(question, self._ask)
        complaint = partial(complaint_about, self._run)
        return await object_response(question, self._ask, complaint, lambda: not hearing.is_over)

    async def _judge(self, responses: tuple[Response, ...]) -> Iteration:
        """The iteration with its verdict, and what stopped the judging if anything did."""
        number = len(self._run.iterations) + 1
        cut: Literal["budget", "deadline"] = "deadline"
        why = "The run's deadline passed before there was a verdict"
        try:
            with anyio.CancelScope(deadline=self._deadline):
                await anyio.lowlevel.checkpoint()  # past the deadline, no call is made
                ask = Reviewing(self._ask, self._late, self._deadline, self._on_event)
                verdict = await self._strategy.judge(self._run, responses, ask)
                return Iteration(number=number, responses=responses, verdict=verdict)
        except BudgetExceeded as error:
            cut, why = "budget", f"The budget left no verdict ({error})"
        if self._run.config.json_schema is None:
            verdict = best_supported(self._run, responses, why)
        else:
            verdict = await counted_objects(self._run, responses, why)
        return Iteration(number=number, responses=responses, verdict=verdict, cut=cut)
