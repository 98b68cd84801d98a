"""Asks one member for an object, and once more where its reply cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.engine.responses import response_to
from consortium_mcp.core.prompts.quoting import MAX_QUOTED, shorten
from consortium_mcp.core.prompts.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.verdict import Response


async def object_response(
    question: Question, ask: Ask, complaint_about: Callable[[str], str | None]
) -> Response:
    """The member's response; failed where it has no object in two replies.

    Args:
        question: what to ask.
        ask: puts a question to a model.
        complaint_about: what is wrong with a reply; `None` where it can be used.
    """
    began = anyio.current_time()
    first = await response_to(question, ask)
    if not first.answered:
        return first
    why = await anyio.to_thread.run_sync(complaint_about, first.text or "")
    if why is None:
        return _plain(first)
    reply = shorten(first.text or "", MAX_QUOTED)[0]
    repair = render("object_repair", prompt=question.prompt, complaint=why, reply=reply)
    left = max(0.001, question.timeout - (anyio.current_time() - began))
    again = await response_to(
        question.model_copy(update={"prompt": repair, "attempt": 2, "timeout": left}), ask
    )
    if again.answered:
        why = await anyio.to_thread.run_sync(complaint_about, again.text or "")
    elif again.error is not None:
        why = again.error
    if why is None:
        note = "its object came at the second try"
        return _plain(again).model_copy(update={"warnings": (*again.warnings, note)})
    return again.model_copy(
        update={"status": "failed", "text": None, "error": why, "error_kind": "schema"}
        if again.answered
        else {}
    )


def _plain(response: Response) -> Response:
    """An object says nothing of a short answer or a confidence, though it may have such fields."""
    return response.model_copy(update={"final_answer": None, "stated_confidence": None})
