"""What becomes of one member's reply, and how many answers are enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.reading.final_answers import final_answer
from consortium_mcp.core.reading.prose import prose
from consortium_mcp.core.reading.stated_confidence import stated_confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member


def quorum_size(config: ConsortiumConfig, asked: int) -> float:
    """How many answers are enough to go on without the others."""
    return math.inf if config.quorum is None else math.ceil(config.quorum * asked - 1e-9)


def quorum_missed(config: ConsortiumConfig, responses: Sequence[Response]) -> bool:
    """Whether fewer members answered than the quorum asks for."""
    if config.quorum is None:
        return False
    return sum(r.answered for r in responses) < quorum_size(config, len(responses))


async def response_to(question: Question, ask: Ask) -> Response:
    """Ask, and take whatever comes of it as a response: a failure is data."""
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
    except BudgetExceeded as error:
        return Response(
            label=question.label,
            model=question.model,
            status="cut",
            error=f"not asked: {error}",
            error_kind="budget",
        )
    if not prose(reply.text):
        return Response(
            label=question.label,
            model=question.model,
            status="failed",
            error="the reply holds no answer (only thinking, or only tags)",
            error_kind="empty",
            seconds=reply.seconds,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
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
        nested_run_id=reply.nested_run_id,
    )


def cut_response(member: Member, *, late: bool, asked: bool) -> Response:
    """The response of a member that the run did not wait for any longer."""
    kind, why = "quorum", "the quorum had answered and its grace was over"
    if late:
        kind, why = "deadline", "the run's deadline was near"
    elif not asked:
        kind, why = "out", "its answer of an earlier iteration is still out"
    return Response(
        label=member.label,
        model=member.model,
        status="cut",
        error=f"cut off: {why}",
        error_kind=kind,
    )
