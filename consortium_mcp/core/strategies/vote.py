"""The answer with the most votes wins; no arbiter is asked.

A vote of six strong models beats the best of them by 4 points (9,646 recorded MMLU-Pro questions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.judging.voting import is_central, plurality
from consortium_mcp.core.prompts import for_members
from consortium_mcp.core.strategies import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict

NOTHING_TO_COUNT = (
    "No member gave a short final answer, so there was nothing to count: the most confident "
    "response stands. The strategies `auto` and `synthesis` weigh open answers."
)
CENTRAL_STANDS = (
    "No member gave a short final answer, so there was nothing to count: the response most like "
    "the others stands, which is central, not agreed. The strategies `auto` and `synthesis` weigh "
    "open answers."
)


class Vote:
    """A plurality vote on equal final answers."""

    description = "The short answer with the most votes wins; nobody judges."
    asks_in_waves = True
    weighs = False

    def calls(self, run: Run) -> waves.Calls:
        """The members' calls only."""
        return waves.calls(run, verdicts=(0, 0))

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """In waves, as `sampling` says."""
        return waves.in_waves(run, responses)

    def question_for(self, member: Member, run: Run) -> Question:
        """Only the prompt: votes are worth more the more independent they are."""
        return waves.question(member, run, for_members.question_of(run), once=True)

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:  # noqa: ARG002
        """The heaviest group's answer; see `voting.plurality` for ties."""
        verdict = plurality(run, responses)
        if any(r.answered and r.final_answer is not None for r in responses):
            return verdict
        note = CENTRAL_STANDS if is_central(verdict) else NOTHING_TO_COUNT
        return verdict.model_copy(update={"warnings": (note,)})

    def another_pays(self, run: Run) -> bool:  # noqa: ARG002
        """Never: asked again, members would know nothing new."""
        return False
