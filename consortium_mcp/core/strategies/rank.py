"""The arbiter ranks the responses, and the best one stands word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence import scoring
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judging import dissent
from consortium_mcp.core.judging.arbitration import (
    ArbiterTask,
    ask_arbiters,
    best_supported,
    checked_groups,
)
from consortium_mcp.core.prompts import for_arbiters
from consortium_mcp.core.reading.prose import prose
from consortium_mcp.core.reading.verdicts import json_schema, parse_ranking
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

FIELDS = ("ranking", "groups", "confidence")


class Rank(Synthesis):
    """Judging costs a line instead of an essay, and no word of the answer is the arbiter's."""

    description = "The arbiter only ranks; the best answer stands word for word."

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The response ranked first; who says the same supports it."""
        answered = {r.label: r for r in responses if r.answered}
        prompt, cuts = for_arbiters.prompt_for_arbiter(run, responses, "rank")
        labels = tuple(answered)
        demand = ArbiterTask(
            prompt, json_schema(labels, FIELDS), lambda t: parse_ranking(t, labels)
        )
        said = await ask_arbiters(run, demand, ask)
        if said.found is None:
            return best_supported(run, responses, said.notes[-1], (*cuts, *said.notes[:-1]))
        top = answered[said.found.ranking[0]]
        groups = checked_groups(run, responses, said.found.groups)
        support = next(group for group in (*groups, (top.label,)) if top.label in group)
        number, parts = scoring.weigh(
            run,
            responses,
            support,
            groups,
            arbiter_confidence=said.found.confidence,
            method="say the same as the answer ranked first",
        )
        return Verdict(
            synthesis=prose(top.text or ""),
            final_answer=top.final_answer,
            confidence=number,
            parts=parts,
            supporters=support,
            groups=groups,
            dissent=dissent.dissent_of(responses, support, groups),
            ranking=said.found.ranking,
            arbiter=said.arbiter,
            warnings=(*cuts, *said.notes),
        )
