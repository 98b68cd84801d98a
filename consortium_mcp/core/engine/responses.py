"""What becomes of asking one member: a response, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.reading.final_answers import final_answer
from consortium_mcp.core.reading.prose import prose
from consortium_mcp.core.reading.stated_confidence import stated_confidence

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.consortium import Member


async def response_to(question: Question, ask: Ask) -> Response:
    """Ask, and take whatever comes of it as a response: a failure is data."""
    came_of_it = await _outcome(question, ask)
    return Response(label=question.label, model=question.model, **came_of_it)


async def _outcome(question: Question, ask: Ask) -> dict[str, Any]:
    try:
        reply = await ask(question)
    except MemberError as error:
        return {
            "status": "failed",
            "error": str(error),
            "error_kind": error.kind,
            "permanent": error.permanent,
        }
    except BudgetExceeded as error:
        return {"status": "cut", "error": f"not asked: {error}", "error_kind": "budget"}
    return _cost(reply) | _said(reply)


def _said(reply: Reply) -> dict[str, Any]:
    if not prose(reply.text):
        why = "the reply holds no answer (only thinking, or only tags)"
        return {"status": "failed", "error": why, "error_kind": "empty"}
    return {
        "status": "answered",
        "text": reply.text,
        "final_answer": final_answer(reply.text),
        "stated_confidence": stated_confidence(reply.text),
        "warnings": reply.warnings,
        "nested_run_id": reply.nested_run_id,
    }


def _cost(reply: Reply) -> dict[str, Any]:
    return {
        "seconds": reply.seconds,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
    }


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
