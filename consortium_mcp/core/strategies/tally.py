"""Counts equal answers; the arbiter only breaks ties, by choosing one of the tied answers.

It is for models too small to weigh arguments (the demo tier). Such a model would make up a verdict,
but it can choose one of a few given texts. The report says when it broke a tie.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.core.answers.equivalence import same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence.agreement import group_by_answer, weight
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.judging.arbitration import ARBITER
from consortium_mcp.core.judging.voting import COUNTING, counted
from consortium_mcp.core.prompts import for_arbiters, for_members, rendering
from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Tally(Vote):
    """A vote whose ties are broken by a model; the report says so."""

    description = "As vote, the arbiter breaks ties; for small models."

    def calls(self, run: Run) -> waves.Calls:
        """At most one call per iteration, to break a tie."""
        return waves.calls(run, verdicts=(0, 1))

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The heaviest group's answer, as its most confident member wrote it."""
        groups = group_by_answer(run, responses)
        heaviest = weight(run, groups[0])
        tied = tuple(group for group in groups if weight(run, group) == heaviest)
        winners, note = tied[0], ""
        if len(tied) > 1:
            winners, note = await _break_tie(run, responses, tied, ask)
        method = COUNTING + (f" ({note})" if note else "")
        verdict = counted(run, responses, winners, groups, method)
        warnings = (f"The members were split {len(tied)} ways: {note}.",) if note else ()
        return verdict.model_copy(update={"warnings": warnings})


async def _break_tie(
    run: Run, responses: Sequence[Response], tied: Groups, ask: Ask
) -> tuple[tuple[str, ...], str]:
    """The group whose text the arbiter chose, and a note on how the tie was decided."""
    answered = {r.label: r for r in responses if r.answered}
    texts = {_candidate(answered[group[0]]): group for group in tied}
    question = Question(
        role="arbiter",
        label=ARBITER,
        model=run.config.arbiter,
        prompt=for_members.question_of(run),
        system=rendering.render("tie", candidates="\n".join(f"- {text}" for text in texts))
        + for_arbiters.criteria_of(run),
        json_schema={
            "type": "object",
            "properties": {"answer": {"enum": list(texts)}},
            "required": ["answer"],
            "additionalProperties": False,
        },
        iteration=len(run.iterations) + 1,
        timeout=run.config.arbiter_timeout,
    )
    unbroken = "the tie could not be broken, so the first answer in panel order stands"
    try:
        reply = await ask(question)
    except MemberError:
        return tied[0], unbroken
    chosen = _chosen(reply.text, texts)
    if chosen is None:
        return tied[0], unbroken
    return texts[chosen], f"tie broken by {run.config.arbiter} choosing among the answers"


def _candidate(response: Response) -> str:
    return response.final_answer or read_reply(response.text or "").prose


def _chosen(text: str, candidates: dict[str, tuple[str, ...]]) -> str | None:
    """The candidate that the reply names, as JSON or in plain words; else `None`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = text
    named = content.get("answer") if isinstance(content, dict) else content
    choice = read(named) if isinstance(named, str) else None
    return next((c for c in candidates if same(read(c), choice)), None)
