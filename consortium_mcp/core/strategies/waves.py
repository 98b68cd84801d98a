"""Chooses whom to ask in an iteration, and builds the questions, for all strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.core.confidence.agreement import group_by_answer, weight
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.prompts import for_members
from consortium_mcp.core.prompts.caching import worth_caching

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

ENOUGH_LEAD = 2
"""Lead, in votes, at which the remaining members are not asked."""
FIRST_WAVE = {"adaptive": 3, "thrifty": 2, "smart": 2}
NEXT_WAVES = {"thrifty": 2, "smart": 1}
"""Members asked at once. With six recorded strong models, waves of 3 and 3 take 3.8 calls per
question and lose no accuracy; waves of 2 take 2.6 calls and lose 0.2 points. With learned weights,
the two heaviest and then one at a time do better for fewer calls: see docs/benchmarks.md."""


def able(run: Run) -> list[Member]:
    """The members without those that failed permanently in an earlier iteration."""
    failed = {r.label for it in run.iterations for r in it.responses if r.permanent}
    return [member for member in run.members if member.label not in failed]


def in_waves(run: Run, responses: Sequence[Response]) -> Sequence[Member]:
    """The next wave of members, as `sampling` says; the reserve if the first wave is not unanimous.

    An answer's lead is counted in votes of the panel's mean weight.
    """
    members = [member for member in able(run) if not member.reserve]
    reserves = [member for member in able(run) if member.reserve]
    sampling = run.config.sampling
    if sampling == "smart":  # whose votes weigh most settles most; equals keep their order
        members.sort(key=lambda member: -weight(run, [member.label]))
    first = members[: FIRST_WAVE.get(sampling, len(members))]
    asked = {response.label for response in responses}
    if not asked and first:
        return first
    reserve = [member for member in reserves if member.label not in asked]
    if reserve and not _unanimous(run, responses, {member.label for member in first}):
        return reserve
    rest = [member for member in members if member.label not in asked]
    if not rest or _leads_enough(run, responses):
        return ()
    return rest[: NEXT_WAVES.get(sampling, len(rest))]


def _unanimous(run: Run, responses: Sequence[Response], labels: Collection[str]) -> bool:
    """Whether at least two of these labels answered, and all that did agree."""
    answered = [r for r in responses if r.label in labels and r.answered]
    return len(answered) > 1 and len(group_by_answer(run, answered)) == 1


def _leads_enough(run: Run, responses: Sequence[Response]) -> bool:
    votes = [response for response in responses if response.final_answer is not None]
    weights = [weight(run, group) for group in group_by_answer(run, votes)]
    first, second = (*weights, 0.0, 0.0)[:2]
    vote = weight(run, [member.label for member in run.panel]) / len(run.panel)
    return first - second >= ENOUGH_LEAD * vote - 1e-6  # as sums of weights are rounded


def question(
    member: Member, run: Run, prompt: str, part: str | None = None, *, once: bool = False
) -> Question:
    """The question that puts this prompt to this member in the run's next iteration.

    Args:
        member: who is asked.
        run: the run in its present state.
        prompt: what to ask.
        part: the member's role on this panel, for its system prompt.
        once: no later iteration is likely to ask it again.
    """
    system = for_members.system_for(member, run, part)
    return Question(
        role="member",
        label=member.label,
        model=member.model,
        prompt=prompt,
        system=system,
        options=member.options,
        iteration=len(run.iterations) + 1,
        timeout=run.config.member_timeout,
        worth_caching=None if once else worth_caching(run, system, prompt),
    )


class Calls(NamedTuple):
    """The fewest and the most calls of a run that has not begun, without retries."""

    answers: tuple[int, int]
    reviews: tuple[int, int]
    """Of answers, by other members."""
    verdicts: tuple[int, int]

    @property
    def fewest(self) -> int:
        """Of all kinds together."""
        return sum(fewest for fewest, _ in self)

    @property
    def most(self) -> int:
        """Of all kinds together."""
        return sum(most for _, most in self)


def calls(run: Run, *, verdicts: tuple[int, int], reviews: tuple[int, int] = (0, 0)) -> Calls:
    """The calls of a run whose iterations are all alike.

    Args:
        run: a run that has not begun.
        verdicts: the fewest and the most calls of arbiters in one iteration.
        reviews: the same, of reviewers.
    """
    fewest, most = run.config.min_iterations, run.config.max_iterations
    return Calls(
        answers=(fewest * len(in_waves(run, ())), most * len(run.members)),
        reviews=(fewest * reviews[0], most * reviews[1]),
        verdicts=(fewest * verdicts[0], most * verdicts[1]),
    )


def arbiter_calls(run: Run) -> int:
    """The most calls that a verdict takes: one and a repair for each arbiter."""
    return 2 * (1 + len(run.config.arbiters))
