"""After each iteration the weakest leave, until one is left or the answer is sure enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import weight
from consortium_mcp.core.judging import arbitration
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict

SHARE_LEAVING = 3
"""One of this many leaves after each iteration, and one at least."""


class Elimination(Synthesis):
    """Whoever left still counts with the last answer given: agreement cannot grow by expulsion."""

    description = "As synthesis; each time the weakest third leaves."
    asks_in_waves = False

    def calls(self, run: Run) -> tuple[int, int]:
        """Fewer members from iteration to iteration."""
        left, fewest, most = len(run.panel), 0, 0
        for number in range(run.config.max_iterations):
            fewest += left + 1 if number < run.config.min_iterations else 0
            most += left + waves.arbiter_calls(run)
            left -= _leaving(left)
        return fewest, most

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """All who have not left, at once."""
        left = _left(run)
        return () if responses else [m for m in waves.able(run) if m.label not in left]

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The arbiter's verdict on those who are left, and who leaves after it."""
        before = [r for it in run.iterations for r in it.responses if r.label in it.verdict.leaving]
        verdict = await arbitration.arbitrate(run, responses, ask, before)
        standing = _best_first(run, responses, verdict)
        leaving = standing[len(standing) - _leaving(len(standing)) :]
        return verdict.model_copy(update={"leaving": tuple(leaving)})

    def another_pays(self, run: Run) -> bool:
        """One alone has nobody to be weighed against."""
        return len(self.next_wave(run, ())) > 1


def _left(run: Run) -> set[str]:
    return {label for it in run.iterations for label in it.verdict.leaving}


def _leaving(count: int) -> int:
    """How many of so many leave; the last one stays."""
    return 0 if count == 1 else max(1, count // SHARE_LEAVING)


def _best_first(run: Run, responses: Sequence[Response], verdict: Verdict) -> list[str]:
    """The labels that answered: as ranked, then those the arbiter left out, the lonelier later."""
    answered = [r.label for r in responses if r.answered]

    def strength(label: str) -> tuple[bool, float]:
        party: Collection[str] = next((g for g in verdict.groups if label in g), (label,))
        return label in verdict.supporters, weight(run, party)

    rest = [label for label in answered if label not in verdict.ranking]
    ranked = [label for label in verdict.ranking if label in answered]
    return ranked + sorted(rest, key=strength, reverse=True)
