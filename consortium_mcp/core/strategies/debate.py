"""Each side reads the other sides' arguments and answers again; names are never shown.

Choose it deliberately: in the literature debate adds little over a vote at equal cost (Smit et al.,
"Should we be going MAD?", 2024), and a majority tends to pull the others along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.prompts import for_members
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.auto import Auto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Iteration, Response


class Debate(Auto):
    """Members debate; the verdict is reached as in `auto`."""

    description = "As auto; later, members read the other side."
    asks_in_waves = False

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt; later with this member's last answer and each other side's best argument."""
        prompt = for_members.question_of(run)
        if run.iterations:
            own = _last_response(run, member)
            others = _other_sides(run.iterations[-1], own)
            if own is None:
                prompt = for_members.prompt_with_proposals(run, prompt, others)
            elif others:
                prompt = for_members.prompt_to_debate(run, own, others)
        return waves.question(member, run, prompt)

    def another_pays(self, run: Run) -> bool:
        """Only while the members disagree."""
        return len(_sides(run.iterations[-1])) > 1


def _last_response(run: Run, member: Member) -> Response | None:
    responses = (r for it in reversed(run.iterations) for r in it.responses if r.answered)
    return next((r for r in responses if r.label == member.label), None)


def _sides(iteration: Iteration) -> list[tuple[str, ...]]:
    """The labels that answered, grouped by what their answers mean."""
    groups = iteration.verdict.groups
    grouped = {label for group in groups for label in group}
    ungrouped = [r.label for r in iteration.responses if r.answered and r.label not in grouped]
    return [*groups, *((label,) for label in ungrouped)]


def _other_sides(iteration: Iteration, own: Response | None) -> list[Response]:
    """The most confident response of each side but the member's own."""
    answered = {r.label: r for r in iteration.responses if r.answered}
    strongest: list[Response] = []
    for side in _sides(iteration):
        party: Sequence[Response] = [answered[label] for label in side]
        if own is None or own.label not in side:
            strongest.append(max(party, key=lambda r: r.stated_confidence or 0.0))
    return strongest
