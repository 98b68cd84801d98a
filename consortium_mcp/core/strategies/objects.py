"""The answer is a JSON object, agreed field by field; what is contested goes to the arbiter.

Used instead of the named strategy wherever a schema is given: `vote` and `tally` then ask no
arbiter. On recorded objects (`bench/structured.py`) fields on which all members agree are right in
94 to 96 of 100, the others in 33 to 43: so only the others are worth another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.judging import field_choices
from consortium_mcp.core.judging.object_agreement import (
    agreement_of,
    object_verdict,
    open_fields,
)
from consortium_mcp.core.prompts import for_members, for_objects
from consortium_mcp.core.prompts.caching import worth_caching
from consortium_mcp.core.strategies import waves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict

_WITHOUT_ARBITER = {"vote", "tally"}


class Objects:
    """Agreement on objects."""

    description = "Field by field, where a schema is given."
    asks_in_waves = False
    weighs = True

    def calls(self, run: Run) -> waves.Calls:
        """The arbiter is asked only about contested fields."""
        most = 0 if run.config.strategy in _WITHOUT_ARBITER else waves.arbiter_calls(run)
        return waves.calls(run, verdicts=(0, most))

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """Every member at once."""
        return () if responses else waves.able(run)

    def question_for(self, member: Member, run: Run) -> Question:
        """The object, or in later iterations the contested fields alone."""
        schema = run.config.json_schema or {}
        system = for_objects.system_for(member, run, schema)
        if run.iterations:
            agreed = agreement_of(run, run.iterations[-1].responses)
            prompt = for_objects.prompt_for_fields(run, open_fields(agreed))
            system = member.system or run.config.system or ""
            schema = field_choices.json_schema()
        else:
            prompt = for_members.question_of(run)
        return Question(
            role="member",
            label=member.label,
            model=member.model,
            prompt=prompt,
            system=system or None,
            options=member.options,
            json_schema=schema,
            iteration=len(run.iterations) + 1,
            timeout=run.config.member_timeout,
            worth_caching=worth_caching(run, system, prompt),
        )

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """Agree the objects, and ask the arbiter about what is contested."""
        arbitrated = run.config.strategy not in _WITHOUT_ARBITER
        return await object_verdict(run, responses, ask, arbitrated=arbitrated)

    def another_pays(self, run: Run) -> bool:
        """Where something is contested still."""
        return any(len(field.votes) > 1 for field in run.iterations[-1].verdict.fields)
