"""The prompts for reviewers: members that rank or check answers of other members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.prompts.for_arbiters import criteria_of, told_to_members
from consortium_mcp.core.prompts.for_members import question_of
from consortium_mcp.core.prompts.quoting import MAX_QUOTED, boundary, quote
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


def system_for_reviewer(run: Run) -> str:
    """The system prompt of a reviewer, with the asker's own criteria."""
    return render("reviewer_system") + criteria_of(run)


def code_for(run: Run, reviewer: str) -> str:
    """The code that this reviewer repeats in its next review; nobody else is told it."""
    return boundary(run, f"review by {reviewer}")


def prompt_to_rank(run: Run, reviewer: str, answers: Mapping[str, Response]) -> str:
    """The prompt with the question and the answers to rank.

    Args:
        run: the run.
        reviewer: who reads it: its label, or another name that is its own.
        answers: the answers in the order to show them, by the labels that this reviewer sees.
    """
    mark = boundary(run, f"reviewer {reviewer}")
    limit = MAX_QUOTED // max(1, len(answers))
    blocks = [
        f"Answer {label}:\n{quote(read_reply(each.text or '').shown, mark, limit)[0]}"
        for label, each in answers.items()
    ]
    return render(
        "review",
        question=quote(question_of(run), mark)[0],
        told=told_to_members(run, mark),
        count=len(blocks),
        answers="\n\n".join(blocks),
        code=code_for(run, reviewer),
    )


def prompt_to_check(run: Run, reviewer: str, answer: Response) -> str:
    """The prompt with the question and the answer to check; see `prompt_to_rank`."""
    mark = boundary(run, f"reviewer {reviewer}")
    return render(
        "check",
        question=quote(question_of(run), mark)[0],
        told=told_to_members(run, mark),
        answer=quote(read_reply(answer.text or "").shown, mark)[0],
        code=code_for(run, reviewer),
    )
