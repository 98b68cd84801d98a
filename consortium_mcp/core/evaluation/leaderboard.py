"""Compares the user's models, from the reports of past runs.

It counts agreement, not correctness: a model that agrees with the verdict may be wrong with it, and
one that stands alone may be right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consortium_mcp.core.records.run_summary import CostLine
    from consortium_mcp.core.reports.report import MemberReport, RunReport

LEAST_OTHERS = 2
"""Fewest other members for a lone dissenter; with fewer, it is only one against one."""


class Standing(BaseModel):
    """One model, over all runs that asked it."""

    model: str
    asked: int
    """Times it was asked, counted per member and run: `answered + failed`."""
    answered: int
    failed: int
    """Times it gave no answer, for any reason, including being cut off."""
    judged: int
    """Answers in runs that reached a verdict."""
    with_verdict: int
    """Of those, the answers that the verdict was based on."""
    alone_against: int
    """Of those, the answers that alone opposed at least two others."""
    fields: int = 0
    """Votes on fields of objects that others voted on as well."""
    fields_with_verdict: int = 0
    """Of those, the votes for the agreed value."""
    median_seconds: float | None
    mean_output_tokens: float | None
    mean_input_tokens: float | None
    calls: int = 0
    """All its calls, as a member or an arbiter; `cost_usd` is of those."""
    priced_calls: int = 0
    """How many of them have a known price."""
    cost_usd: float | None = None
    """An estimate in US dollars for these; `None` where there are none."""


@dataclass
class _Count:
    asked: int = 0
    answered: int = 0
    judged: int = 0
    with_verdict: int = 0
    alone_against: int = 0
    fields: int = 0
    fields_with_verdict: int = 0
    seconds: list[float] = field(default_factory=list)
    input_tokens: list[int] = field(default_factory=list)
    output_tokens: list[int] = field(default_factory=list)


class Leaderboard:
    """Adds up reports, one at a time."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self.runs = 0
        """Number of runs that reached a verdict."""

    def add(self, report: RunReport) -> None:
        """Count a run; without a verdict it counts only for answers, failures, times and tokens."""
        judged = report.status in {"completed", "degraded"}
        self.runs += judged
        dissenters = [m for m in report.members if m.status == "answered" and not m.supports]
        votes = sum(member.status == "answered" for member in report.members)
        alone = judged and len(dissenters) == 1 and votes > LEAST_OTHERS
        for member in report.members:
            if member.status in {"answered", "failed", "cut"}:
                count = self._counts.setdefault(member.model, _Count())
                _add(count, member, judged=judged, alone=alone and member is dissenters[0])
        if judged:
            self._add_fields(report)

    def _add_fields(self, report: RunReport) -> None:
        models = {member.label: member.model for member in report.members}
        for each in report.fields:
            voters = [label for vote in each.votes for label in vote.labels if label in models]
            for label in voters if len(voters) > 1 else ():
                count = self._counts[models[label]]
                count.fields += 1
                count.fields_with_verdict += label in each.votes[0].labels

    def standings(self, costs: Iterable[CostLine] = ()) -> list[Standing]:
        """The models, by how often they agreed with the verdict, most often first.

        Args:
            costs: what the calls of each model have cost.
        """
        cost_of = {line.name: line.model_dump(exclude={"name"}) for line in costs}
        found = [
            Standing(
                model=model,
                asked=count.asked,
                answered=count.answered,
                failed=count.asked - count.answered,
                judged=count.judged,
                with_verdict=count.with_verdict,
                alone_against=count.alone_against,
                fields=count.fields,
                fields_with_verdict=count.fields_with_verdict,
                median_seconds=median(count.seconds) if count.seconds else None,
                mean_output_tokens=_mean(count.output_tokens),
                mean_input_tokens=_mean(count.input_tokens),
                **cost_of.get(model, {}),
            )
            for model, count in self._counts.items()
        ]
        return sorted(found, key=lambda s: (-s.with_verdict / max(1, s.judged), s.model))


def _add(count: _Count, member: MemberReport, *, judged: bool, alone: bool) -> None:
    answered = member.status == "answered"
    count.asked += 1
    count.answered += answered
    count.judged += judged and answered
    count.with_verdict += judged and bool(member.supports)
    count.alone_against += alone
    if answered and member.seconds is not None:
        count.seconds.append(member.seconds)
    if member.input_tokens is not None:
        count.input_tokens.append(member.input_tokens)
    if member.output_tokens is not None:
        count.output_tokens.append(member.output_tokens)


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None
