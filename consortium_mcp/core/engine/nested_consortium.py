"""Consortiums as members or arbiters of others: their configuration, reply and depth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import CyclicConsortium
from consortium_mcp.core.prompts import rendering
from consortium_mcp.core.prompts.for_objects import what_to_reply

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Question, Role
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.verdict import Iteration, Response

MAX_DEPTH = 4
"""The most levels of nesting, including the outermost consortium."""
IN_TIME = 0.95
"""A nested run's deadline, as a share of its call's timeout: it must end before the outer run gives
up on it."""


def config_for_nested(question: Question, saved: ConsortiumConfig) -> ConsortiumConfig:
    """The saved configuration, adapted to this question.

    Its deadline fits the question's timeout, and the outer run's system prompt is passed on to its
    members. As a member it answers with an object where one is wanted; then all its members are
    asked at once.
    """
    schema = question.json_schema or saved.json_schema
    outer_system = (question.system or "").removesuffix(rendering.render("member"))
    if question.json_schema is not None:  # its members are told by the nested run
        outer_system = outer_system.removesuffix(what_to_reply(question.json_schema))
    system = "\n\n".join(each for each in (saved.system, outer_system.strip()) if each)
    deadline = question.timeout * IN_TIME
    if saved.deadline_seconds is not None:
        deadline = min(deadline, saved.deadline_seconds)
    in_waves = schema is None or question.role != "member"
    return saved.model_copy(
        update={
            "system": system or None,
            "deadline_seconds": deadline,
            "tools": saved.tools or question.tools or None,
            "json_schema": schema if question.role == "member" else None,
            "sampling": saved.sampling if in_waves else "full",
            "escalate_to": saved.escalate_to if in_waves else None,
        }
    )


def reply_text(best: Iteration, role: Role) -> str:
    """The text that a nested run replies to the outer run.

    As a member, it is the synthesis, with the computed confidence as its stated confidence, or the
    object alone. An
    arbiter or a reviewer must reply in a given form, which a synthesis of such replies is not in:
    then it is the reply of the most confident supporter of the nested verdict, word for word.

    Args:
        best: the run's best iteration.
        role: the nested consortium's role in the outer run.
    """
    if role != "member":
        answered = [response for response in best.responses if response.answered]
        judges = [r for r in answered if r.label in best.verdict.supporters] or answered
        return max(judges, key=_stated_confidence).text or ""
    verdict = best.verdict
    if verdict.data is not None:
        return json.dumps(verdict.data, ensure_ascii=False)
    answer = verdict.final_answer
    tagged = f"\n<final_answer>{answer}</final_answer>" if answer else ""
    return f"{verdict.synthesis}{tagged}\n<confidence>{verdict.confidence:.3f}</confidence>"


def _stated_confidence(response: Response) -> float:
    return response.stated_confidence or 0.0


def checked_path(*names: str) -> tuple[str, ...]:
    """The names of nested consortiums, the outermost first, after a check.

    Raises:
        CyclicConsortium: one is nested in itself, or there are more than `MAX_DEPTH`.
    """
    shown = " → ".join(names)
    if names[-1] in names[:-1]:
        raise CyclicConsortium(
            f"{names[-1]} would be asked by itself ({shown}). Take it out of one of these."
        )
    if len(names) > MAX_DEPTH:
        raise CyclicConsortium(
            f"Consortiums can be nested {MAX_DEPTH} deep, and {shown} is deeper. Name models "
            "instead of the innermost."
        )
    return names
