"""A vote where the members agree on a short answer, a synthesis where they do not.

On closed questions an arbiter is worse than an existing majority, but helps where nobody agrees.
On 969 recorded questions a vote was right in 77.0 %, a synthesis in 79.6 % (16 calls), and a vote
where two of three agree, else a synthesis, in 80.4 % (5.2 calls).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import weight
from consortium_mcp.core.confidence.scoring import is_alone
from consortium_mcp.core.judging import arbitration
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Auto(Synthesis):
    """The default strategy."""

    description = "A majority's short answer stands; without one, as synthesis."

    def calls(self, run: Run) -> waves.Calls:
        """Where there is a majority, the arbiter is not called."""
        return waves.calls(run, verdicts=(0, waves.arbiter_calls(run)))

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The majority's answer, as its most confident supporter wrote it; else the arbiter's."""
        counted = plurality(run, responses)
        votes = weight(run, [response.label for response in responses if response.answered])
        majority = weight(run, counted.supporters) * 2 > votes  # of all votes, abstentions included
        if majority and counted.final_answer is not None and not is_alone(responses):
            return counted
        return await arbitration.arbitrate(run, responses, ask)
