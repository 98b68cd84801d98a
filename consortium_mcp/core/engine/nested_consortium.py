"""A consortium as a member, or the arbiter, of another one: how deep, how long, what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import CyclicConsortium
from consortium_mcp.core.prompts import rendering

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Question, Role
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.verdict import Iteration, Response

MAX_DEPTH = 4
"""Levels of consortiums within each other, the one that is asked included."""
IN_TIME = 0.95
"""Share of a call's time that the nested run has as its deadline: it must be home before the run
that asked gives it up."""


def config_for_nested(question: Question, saved: ConsortiumConfig) -> ConsortiumConfig:
    """The saved configuration, as this question wants it.

    It must end within the question's time, and what the asking run tells its members beforehand is
    told to its own.
    """
    asked_for = (question.system or "").removesuffix(rendering.render("member")).strip()
    system = "\n\n".join(each for each in (saved.system, asked_for) if each)
    deadline = question.timeout * IN_TIME
    if saved.deadline_seconds is not None:
        deadline = min(deadline, saved.deadline_seconds)
    return saved.model_copy(update={"system": system or None, "deadline_seconds": deadline})


def reply_text(best: Iteration, role: Role) -> str:
    """What a nested run says to the one that asked.

    A member's synthesis, with the confidence that was computed for it as the one it states. An
    arbiter's verdict must be a verdict, and a synthesis of several is none: the most confident of
    the judges that the nested verdict stands on speaks, word for word.

    Args:
        best: the run's best iteration.
        role: what it was asked as.
    """
    if role == "arbiter":
        answered = [response for response in best.responses if response.answered]
        judges = [r for r in answered if r.label in best.verdict.supporters] or answered
        return max(judges, key=_stated).text or ""
    verdict = best.verdict
    answer = verdict.final_answer
    tagged = f"\n<final_answer>{answer}</final_answer>" if answer else ""
    return f"{verdict.synthesis}{tagged}\n<confidence>{verdict.confidence:.3f}</confidence>"


def _stated(response: Response) -> float:
    return response.stated_confidence or 0.0


def checked_path(*names: str) -> tuple[str, ...]:
    """The consortiums within each other, the outermost first.

    Raises:
        CyclicConsortium: one of them is within itself, or they are too many.
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
