"""Members play different roles: some propose answers, others attack and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.prompts import for_members, rendering
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

ROLES = ("generator", "devils_advocate", "fact_checker")
"""The predefined roles, assigned in this order to members without a role of their own."""

_CRITICS = frozenset(ROLES[1:])


class Roles(Synthesis):
    """Critics read the proposals of the same iteration; the arbiter reads everything."""

    description = "Proposals, a devil's advocate, a fact checker; the arbiter writes."
    asks_in_waves = False

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """First the members that propose, then the critics; if all are critics, all at once."""
        able = waves.able(run)
        critics = [member for member in able if role_of(member, run) in _CRITICS]
        proposers = [member for member in able if member not in critics]
        asked = {response.label for response in responses}
        waves_in_order = [wave for wave in (proposers, critics) if wave]
        return next((wave for wave in waves_in_order if wave[0].label not in asked), ())

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt and the member's role; for critics, also the proposals."""
        role = role_of(member, run)
        part = rendering.render(f"role_{role}") if role in ROLES else f"Your part here: {role}"
        prompt = for_members.prompt_for_member(run)
        proposals = [r for r in run.unjudged if r.answered]
        return waves.question(
            member, run, for_members.prompt_with_proposals(run, prompt, proposals), part
        )


def role_of(member: Member, run: Run) -> str:
    """The member's own role, spelled as in `ROLES` where it is one of these; else one assigned."""
    if member.role is None:
        unassigned = [each.label for each in run.members if each.role is None]
        return ROLES[unassigned.index(member.label) % len(ROLES)]
    name = "_".join(member.role.casefold().replace("'", "").replace("-", " ").split())
    return name if name in ROLES else member.role
