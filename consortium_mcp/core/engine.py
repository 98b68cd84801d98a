"""Iterate until settled: members answer, a verdict is reached, the stop rule looks at it.

The engine knows the world only through `Ask`. It raises nothing for a model's failure: a failed
member is data on its response, a failed arbiter degrades the verdict, and a run without any answer
comes back with the status `failed` and the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.answers import final_answer, stated_confidence
from consortium_mcp.core.arbiter import best_supported
from consortium_mcp.core.confidence import stop_reason
from consortium_mcp.core.errors import MemberError
from consortium_mcp.core.models import Iteration, Response
from consortium_mcp.core.strategies import get_strategy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.models import Member, Question, Run, StopReason, Verdict
    from consortium_mcp.core.strategies import Strategy


@dataclass(frozen=True)
class Heard:
    """A member's response is in (or its failure)."""

    iteration: int
    answered: int
    failed: int
    asked: int
    response: Response


@dataclass(frozen=True)
class Judged:
    """An iteration reached its verdict; `run` includes it."""

    run: Run


Event = Heard | Judged


async def consult(run: Run, ask: Ask, on_event: Callable[[Event], Awaitable[None]]) -> Run:
    """Take a run from `working` to its end.

    Args:
        run: a run with no iterations yet.
        ask: puts a question to a model; see `ask.Ask`.
        on_event: told of every response and every verdict, in order, before the run goes on.

    Returns:
        The run with a final status and a stop reason.
    """
    strategy = get_strategy(run.config.strategy)
    deadline = anyio.current_time() + (run.config.deadline_seconds or float("inf"))
    while True:
        responses = await _hear(run, strategy, ask, on_event, deadline)
        if not any(response.answered for response in responses):
            return _without_answers(run, responses, late=anyio.current_time() >= deadline)
        verdict = await _judge(run, strategy, responses, ask, deadline)
        iteration = Iteration(
            number=len(run.iterations) + 1, responses=tuple(responses), verdict=verdict
        )
        run = run.model_copy(update={"iterations": (*run.iterations, iteration)})
        await on_event(Judged(run))
        reason = stop_reason(run)
        if reason in {None, "arbiter_failed"} and anyio.current_time() >= deadline:
            reason = "deadline"
        if reason is not None:
            return _ended(run, reason)


async def _hear(
    run: Run,
    strategy: Strategy,
    ask: Ask,
    on_event: Callable[[Event], Awaitable[None]],
    deadline: float,
) -> list[Response]:
    """All responses of the next iteration, in panel order."""
    responses: list[Response] = []
    asked = 0
    while wave := strategy.next_wave(run, responses):
        asked += len(wave)
        landed: dict[str, Response] = {}
        before = tuple(responses)

        async def land(
            response: Response,
            landed: dict[str, Response] = landed,
            before: tuple[Response, ...] = before,
            asked: int = asked,
        ) -> None:
            landed[response.label] = response
            heard = (*before, *landed.values())
            answered = sum(r.answered for r in heard)
            number = len(run.iterations) + 1
            await on_event(Heard(number, answered, len(heard) - answered, asked, response))

        questions = [strategy.question_for(member, run) for member in wave]
        with anyio.CancelScope(deadline=deadline) as scope:
            await _hear_all(questions, ask, land)
        responses += [landed.get(member.label) or _cut(member) for member in wave]
        if scope.cancelled_caught:
            break
    return responses


async def _hear_all(
    questions: Sequence[Question], ask: Ask, land: Callable[[Response], Awaitable[None]]
) -> None:
    async def hear_one(question: Question) -> None:
        await land(await _response(question, ask))

    async with anyio.create_task_group() as group:
        for question in questions:
            group.start_soon(hear_one, question)


async def _response(question: Question, ask: Ask) -> Response:
    try:
        reply = await ask(question)
    except MemberError as error:
        return Response(
            label=question.label,
            model=question.model,
            status="failed",
            error=str(error),
            error_kind=error.kind,
            permanent=error.permanent,
        )
    return Response(
        label=question.label,
        model=question.model,
        status="answered",
        text=reply.text,
        final_answer=final_answer(reply.text),
        stated_confidence=stated_confidence(reply.text),
        seconds=reply.seconds,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        warnings=reply.warnings,
    )


def _cut(member: Member) -> Response:
    return Response(
        label=member.label,
        model=member.model,
        status="cut",
        error="The run's deadline passed before this answer came.",
        error_kind="deadline",
    )


async def _judge(
    run: Run, strategy: Strategy, responses: Sequence[Response], ask: Ask, deadline: float
) -> Verdict:
    with anyio.CancelScope(deadline=deadline):
        return await strategy.judge(run, responses, ask)
    return best_supported(responses, "The run's deadline passed before there was a verdict")


def _without_answers(run: Run, responses: Sequence[Response], *, late: bool) -> Run:
    """Nobody answered: with an earlier verdict the run still has an answer, else it failed."""
    reasons = "; ".join(f"{r.model}: {r.error}" for r in responses) or "nobody is left to ask"
    run = run.model_copy(update={"unjudged": tuple(responses)})
    reason: StopReason = "deadline" if late else "members_failed"
    if run.iterations:
        warning = f"Iteration {len(run.iterations) + 1} got no answer ({reasons})."
        return _ended(run.model_copy(update={"warnings": (*run.warnings, warning)}), reason)
    return run.model_copy(
        update={
            "status": "failed",
            "stop_reason": reason,
            "error": f"No member answered. {reasons}",
        }
    )


def _ended(run: Run, reason: StopReason) -> Run:
    warnings = [*run.warnings]
    for iteration in run.iterations:
        warnings += [w for w in iteration.verdict.warnings if w not in warnings]
        warnings += [
            f"{r.model} ({r.label}) did not answer in iteration {iteration.number}: {r.error}"
            for r in iteration.responses
            if not r.answered
        ]
        warnings += [
            f"{r.model} ({r.label}) in iteration {iteration.number}: {warning}"
            for r in iteration.responses
            for warning in r.warnings
        ]
    return run.model_copy(
        update={
            "status": "degraded" if _fell_short(run, reason) else "completed",
            "stop_reason": reason,
            "warnings": tuple(warnings),
        }
    )


def _fell_short(run: Run, reason: StopReason) -> bool:
    """Whether something that the configuration asked for did not happen."""
    silent = any(not r.answered for it in run.iterations for r in it.responses)
    best = run.best
    return (
        silent
        or reason in {"deadline", "members_failed", "arbiter_failed"}
        or (best is not None and best.verdict.degraded)
    )
