"""Every member answers; the arbiter always weighs the answers and writes the synthesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.judging import arbitration
from consortium_mcp.core.prompts import for_members
from consortium_mcp.core.strategies import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Synthesis:
    """The basic loop; other strategies derive from it."""

    description = "The arbiter weighs all answers and writes one; doubts go back to the members."
    asks_in_waves = True
    weighs = True

    def calls(self, run: Run) -> waves.Calls:
        """One verdict per iteration, and at most one repair for each arbiter."""
        return waves.calls(run, verdicts=(1, waves.arbiter_calls(run)))

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """In waves, as `sampling` says."""
        return waves.in_waves(run, responses)

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt, in later iterations with the results so far."""
        return waves.question(member, run, for_members.prompt_for_member(run))

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The arbiter's verdict, with a computed confidence."""
        return await arbitration.arbitrate(run, responses, ask)

    def another_pays(self, run: Run) -> bool:  # noqa: ARG002
        """Always: members learn the arbiter's verdict on their answers."""
        return True
