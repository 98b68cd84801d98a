"""Who is asked in an iteration and how: what the strategies share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core import prompts
from consortium_mcp.core.models import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.models import Member, Response, Run


def everyone(run: Run, responses: Sequence[Response]) -> Sequence[Member]:
    """All members in one wave, less those that failed for good in an earlier iteration."""
    if responses:
        return ()
    gone = {r.label for it in run.iterations for r in it.responses if r.permanent}
    return [member for member in run.members if member.label not in gone]


def question(member: Member, run: Run, prompt: str) -> Question:
    """This prompt, put to this member in the run's next iteration."""
    return Question(
        role="member",
        label=member.label,
        model=member.model,
        prompt=prompt,
        system=prompts.system_for(member, run),
        options=member.options,
        iteration=len(run.iterations) + 1,
        timeout=run.config.member_timeout,
    )
