"""Asks one member, perhaps for an object; the outcome is always a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.values import Spending, total
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.prompts.quoting import MAX_QUOTED, shorten
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.consortium import Member


async def response_to(question: Question, ask: Ask) -> Response:
    """Ask, and record the outcome, even a failure, as a response."""
    fields = await _outcome(question, ask)
    return Response(label=question.label, model=question.model, **fields)


async def object_response(
    question: Question,
    ask: Ask,
    complaint_about: Callable[[str], str | None],
    is_wanted: Callable[[], bool] = lambda: True,
) -> Response:
    """The member's response; failed where it has no object in two replies.

    Args:
        question: what to ask.
        ask: puts a question to a model.
        complaint_about: what is wrong with a reply; `None` where it can be used. Runs in a thread.
        is_wanted: whether anybody waits for the response still: if not, it is not asked again.
    """
    began = anyio.current_time()
    first = await response_to(question, ask)
    if not first.answered:
        return first
    why = await _in_thread(complaint_about, first)
    if why is None:
        return _plain(first)
    if not is_wanted():
        return _unusable(first, why)
    reply = shorten(first.text or "", MAX_QUOTED)[0]
    repair = render("object_repair", prompt=question.prompt, complaint=why, reply=reply)
    left = max(0.001, question.timeout - (anyio.current_time() - began))
    again = await response_to(
        question.model_copy(update={"prompt": repair, "attempt": 2, "timeout": left}), ask
    )
    again = again.model_copy(update=_usage_of_both(first, again))
    if not again.answered:
        error = f"its object cannot be used ({why}), and asked again: {again.error}"
        return again.model_copy(update={"error": error})
    why = await _in_thread(complaint_about, again)
    if why is not None:
        return _unusable(again, why)
    note = "its object came at the second try"
    return _plain(again).model_copy(update={"warnings": (*again.warnings, note)})


async def _in_thread(
    complaint_about: Callable[[str], str | None], response: Response
) -> str | None:
    return await anyio.to_thread.run_sync(
        complaint_about, response.text or "", abandon_on_cancel=True
    )


def _plain(response: Response) -> Response:
    """An object says nothing of a short answer or a confidence, though it may have such fields."""
    return response.model_copy(update={"final_answer": None, "stated_confidence": None})


def _unusable(response: Response, why: str) -> Response:
    return _plain(response).model_copy(
        update={"status": "failed", "text": None, "error": why, "error_kind": "schema"}
    )


def _usage_of_both(first: Response, again: Response) -> dict[str, float | None]:
    spent = total([Spending.model_validate(each, from_attributes=True) for each in (first, again)])
    used = spent.model_dump(include={"input_tokens", "output_tokens", "cost_usd"})
    seconds = [each.seconds for each in (first, again) if each.seconds is not None]
    return used | {"seconds": sum(seconds) if seconds else None}


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
