"""The answer is a JSON object, agreed field by field; what is contested goes to the arbiter.

Used instead of the named strategy wherever a schema is given; where that has no arbiter weigh
arguments, as `vote` and `tally`, none is asked about fields either. On recorded objects
(`bench/structured.py`) fields on which all members agree are right in 94 to 96 of 100, the others
in 33 to 43: so only the others are worth another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.judging import field_choices
from consortium_mcp.core.judging.object_agreement import (
    agreement_of,
    counted_objects,
    object_verdict,
    open_fields,
)
from consortium_mcp.core.prompts import for_members, for_objects
from consortium_mcp.core.strategies import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Objects:
    """Agreement on objects.

    Args:
        arbitrated: whether an arbiter is asked about contested fields.
    """

    description = "Field by field, where a schema is given."
    asks_in_waves = False

    def __init__(self, *, arbitrated: bool) -> None:
        self.weighs = arbitrated

    def calls(self, run: Run) -> waves.Calls:
        """Each object may be asked for once more, and the arbiter only about contested fields."""
        most = waves.arbiter_calls(run) if self.weighs else 0
        found = waves.calls(run, verdicts=(0, most))
        fewest_answers, most_answers = found.answers
        return found._replace(answers=(fewest_answers, 2 * most_answers))

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """Every member at once."""
        return () if responses else waves.able(run)

    def question_for(self, member: Member, run: Run) -> Question:
        """The object, or after an iteration that left fields contested, these alone."""
        fields = open_fields(agreement_of(run)) if run.iterations else ()
        schema = run.config.json_schema or {}
        system: str | None = for_objects.system_for(member, run, schema)
        prompt = for_members.question_of(run)
        if fields:
            prompt = for_objects.prompt_for_fields(run, fields)
            system = member.system or run.config.system
            schema = field_choices.json_schema()
        asked = waves.question(member, run, prompt, once=True)
        return asked.model_copy(update={"system": system, "json_schema": schema})

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """Agree the objects, and ask the arbiter about what is contested."""
        if self.weighs:
            return await object_verdict(run, responses, ask)
        return await counted_objects(run, responses)

    def another_pays(self, run: Run) -> bool:
        """Where something is contested still, or others may yet give an object."""
        verdict = run.iterations[-1].verdict
        return verdict.parts.agreement is None or any(len(f.votes) > 1 for f in verdict.fields)
