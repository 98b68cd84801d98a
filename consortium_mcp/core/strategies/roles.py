"""Members with different parts: some propose, others attack and check what was proposed."""

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
"""The parts there are, dealt out in this order to members that have none of their own."""

_CRITICS = frozenset(ROLES[1:])


class Roles(Synthesis):
    """Critics read the proposals of their own iteration; the arbiter reads everybody."""

    description = (
        "Some propose, a devil's advocate and a fact checker reply (or members' own `role`s); the "
        "arbiter writes."
    )
    asks_in_waves = False

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """First those who propose, then the critics; critics alone speak at once."""
        able = waves.able(run)
        critics = [member for member in able if role_of(member, run) in _CRITICS]
        proposing = [member for member in able if member not in critics]
        asked = {response.label for response in responses}
        parties = [party for party in (proposing, critics) if party]
        return next((party for party in parties if party[0].label not in asked), ())

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt and the member's part; for critics what was proposed, too."""
        role = role_of(member, run)
        part = rendering.render(f"role_{role}") if role in ROLES else f"Your part here: {role}"
        prompt = for_members.prompt_for_member(run)
        proposals = [r for r in run.unjudged if r.answered]
        return waves.question(
            member, run, for_members.prompt_with_proposals(run, prompt, proposals), part
        )


def role_of(member: Member, run: Run) -> str:
    """The member's own role, spelled as in `ROLES` where it is one of them; else one dealt out."""
    if member.role is None:
        without = [each.label for each in run.members if each.role is None]
        return ROLES[without.index(member.label) % len(ROLES)]
    name = "_".join(member.role.casefold().replace("'", "").replace("-", " ").split())
    return name if name in ROLES else member.role
