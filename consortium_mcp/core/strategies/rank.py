"""The arbiter ranks the responses, and the best one becomes the synthesis, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence import scoring
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judgements.verdicts import json_schema, parse_ranking
from consortium_mcp.core.judging import dissent
from consortium_mcp.core.judging.arbitration import (
    ArbiterTask,
    ask_arbiters,
    best_supported,
    checked_groups,
    of_arbiter,
    source_of,
)
from consortium_mcp.core.prompts import for_arbiters
from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

FIELDS = ("ranking", "groups", "confidence")


class Rank(Synthesis):
    """The arbiter writes one line instead of an essay, and no word of the answer is its own."""

    description = "The arbiter only ranks; the best answer stands word for word."

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The response ranked first, supported by those whose answers mean the same."""
        answered = {r.label: r for r in responses if r.answered}
        prompt, cuts = for_arbiters.prompt_for_arbiter(run, responses, "rank")
        labels = tuple(answered)
        source = source_of(run, responses)
        demand = ArbiterTask(
            prompt,
            json_schema(labels, FIELDS, source.code),
            lambda text: parse_ranking(text, labels, source),
        )
        result = await ask_arbiters(run, demand, ask)
        if result.found is None:
            return best_supported(run, responses, result.notes[-1], (*cuts, *result.notes[:-1]))
        top = answered[result.found.ranking[0]]
        groups = checked_groups(run, responses, result.found.groups)
        support = next(group for group in (*groups, (top.label,)) if top.label in group)
        number, parts = scoring.weigh(
            run,
            responses,
            support,
            groups,
            arbiter_confidence=result.found.confidence,
            method="say the same as the answer ranked first",
        )
        return Verdict(
            synthesis=read_reply(top.text or "").prose,
            final_answer=top.final_answer,
            confidence=number,
            parts=parts,
            supporters=support,
            groups=groups,
            dissent=dissent.dissent_of(responses, support, groups),
            ranking=result.found.ranking,
            arbiter=result.arbiter,
            warnings=(*cuts, *result.notes, *of_arbiter(result.found.warnings)),
        )
