"""A strategy of one's own: take a short answer only if nobody contradicts it, else argue on.

It reuses the vote and changes one thing: as long as anybody stands apart, the verdict asks for
another iteration, in which the members read what the others say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.prompts.for_members import prompt_for_member
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Unanimous(Vote):
    """A vote that goes on while anybody disagrees."""

    description = "A vote that is repeated, with all arguments shown, until nobody stands apart."

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt, and in later iterations the leading answer and who says otherwise why."""
        return waves.question(member, run, prompt_for_member(run))

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:  # noqa: ARG002
        """The leading answer, marked as unfinished while there is dissent."""
        verdict = plurality(run, responses)
        return verdict.model_copy(update={"needs_iteration": bool(verdict.dissent)})

    def another_pays(self, run: Run) -> bool:
        """While there is somebody to convince."""
        return bool(run.iterations[-1].verdict.dissent)
