"""After each iteration the weakest members leave, until one is left or confidence suffices."""

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
"""One in this many members leaves after each iteration, but at least one."""


class Elimination(Synthesis):
    """The last answers of members that left still count, so eliminating cannot raise agreement."""

    description = "As synthesis; each time the weakest third leaves."
    asks_in_waves = False

    def calls(self, run: Run) -> waves.Calls:
        """Each iteration asks fewer members."""
        config, remaining, fewest, most = run.config, len(run.panel), 0, 0
        for number in range(config.max_iterations):
            fewest += remaining if number < config.min_iterations else 0
            most += remaining
            remaining -= _leaving_count(remaining)
        verdicts = (config.min_iterations, config.max_iterations * waves.arbiter_calls(run))
        return waves.Calls(answers=(fewest, most), reviews=(0, 0), verdicts=verdicts)

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """All members that have not left, at once."""
        eliminated = _eliminated(run)
        return () if responses else [m for m in waves.able(run) if m.label not in eliminated]

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The arbiter's verdict on the remaining members, and who leaves after it."""
        votes = [r for it in run.iterations for r in it.responses if r.label in it.verdict.leaving]
        verdict = await arbitration.arbitrate(run, responses, ask, votes)
        ordered = _best_first(run, responses, verdict)
        leaving = ordered[len(ordered) - _leaving_count(len(ordered)) :]
        return verdict.model_copy(update={"leaving": tuple(leaving)})

    def another_pays(self, run: Run) -> bool:
        """Only while more than one member remains."""
        return len(self.next_wave(run, ())) > 1


def _eliminated(run: Run) -> set[str]:
    return {label for it in run.iterations for label in it.verdict.leaving}


def _leaving_count(count: int) -> int:
    """How many of this many members leave; the last one stays."""
    return 0 if count == 1 else max(1, count // SHARE_LEAVING)


def _best_first(run: Run, responses: Sequence[Response], verdict: Verdict) -> list[str]:
    """The labels that answered: first as ranked, then the unranked, by support and group weight."""
    answered = [r.label for r in responses if r.answered]

    def strength(label: str) -> tuple[bool, float]:
        group: Collection[str] = next((g for g in verdict.groups if label in g), (label,))
        return label in verdict.supporters, weight(run, group)

    rest = [label for label in answered if label not in verdict.ranking]
    ranked = [label for label in verdict.ranking if label in answered]
    return ranked + sorted(rest, key=strength, reverse=True)
