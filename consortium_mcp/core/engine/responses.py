"""Asks one member; the outcome is always a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.consortium import Member


async def response_to(question: Question, ask: Ask) -> Response:
    """Ask, and record the outcome, even a failure, as a response."""
    fields = await _outcome(question, ask)
    return Response(label=question.label, model=question.model, **fields)


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
    return _usage(reply) | _content(reply)


def _content(reply: Reply) -> dict[str, Any]:
    read = read_reply(reply.text)
    if not read.prose:
        why = "the reply holds no answer (only thinking, or only tags)"
        return {"status": "failed", "error": why, "error_kind": "empty"}
    return {
        "status": "answered",
        "text": reply.text,
        "final_answer": read.final_answer,
        "stated_confidence": read.stated_confidence,
        "warnings": reply.warnings,
        "nested_run_id": reply.nested_run_id,
    }


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "seconds": reply.seconds,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "cost_usd": reply.cost_usd,
    }


def cut_response(member: Member, *, late: bool, asked: bool) -> Response:
    """The response of a member that the run no longer waits for."""
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
