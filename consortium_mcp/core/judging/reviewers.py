"""Asks reviewers: all at once, as long as the quorum and its grace say.

A review that fails, or that nobody waits for, is missing; it never ends a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.prompts import for_reviewers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from consortium_mcp.core.domain.ask import Ask, Reply
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run


@dataclass
class Replies:
    """What reviewers replied, and why others did not, by the labels of their questions."""

    texts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def reject(self, label: str, why: str) -> None:
        """Count a reply that cannot be read as missing."""
        del self.texts[label]
        self.missing[label] = why

    def notes(self) -> tuple[str, ...]:
        """One warning for all reviews that are missing for the same reason, and the others."""
        reasons: dict[str, list[str]] = {}
        for label, why in sorted(self.missing.items(), key=lambda item: (len(item[0]), item[0])):
            reasons.setdefault(why, []).append(label)
        lost = (f"No review by {', '.join(who)}: {why}." for why, who in reasons.items())
        return (*lost, *dict.fromkeys(self.warnings))


def question_for_review(
    run: Run, member: Member, label: str, prompt: str, json_schema: dict[str, Any]
) -> Question:
    """The question that puts this prompt to this member as a reviewer.

    Args:
        run: the run in its present state.
        member: who is asked.
        label: the question's own in this iteration.
        prompt: what to review.
        json_schema: the form of the reply.
    """
    return Question(
        role="reviewer",
        label=label,
        model=member.model,
        prompt=prompt,
        system=for_reviewers.system_for_reviewer(run),
        options=member.options,
        json_schema=json_schema,
        iteration=len(run.iterations) + 1,
        timeout=run.config.member_timeout,
    )


async def ask_reviewers(run: Run, questions: Sequence[Question], ask: Ask) -> Replies:
    """Ask these at once; after the quorum, the others have the grace that members have."""
    heard: dict[str, Reply | str] = {}
    enough = run.config.quorum_of(len(questions))

    async def hear(question: Question) -> None:
        try:
            heard[question.label] = await ask(question)
        except (MemberError, BudgetExceeded) as error:
            heard[question.label] = str(error)
        if sum(not isinstance(outcome, str) for outcome in heard.values()) >= enough:
            waiting = [each.model for each in questions if each.label not in heard]
            grace_ends = anyio.current_time() + run.config.grace_for(waiting)
            scope = group.cancel_scope
            scope.deadline = min(scope.deadline, grace_ends)

    async with anyio.create_task_group() as group:
        for question in questions:
            group.start_soon(hear, question)
    replies = Replies()
    for label in (question.label for question in questions):  # in whatever order they came
        outcome = heard.get(label, "the quorum was reached and its grace was over")
        if isinstance(outcome, str):
            replies.missing[label] = outcome
        else:
            replies.texts[label] = outcome.text
            replies.warnings += [f"The review by {label}: {each}" for each in outcome.warnings]
    return replies
