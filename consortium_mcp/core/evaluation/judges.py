"""Looks at those who judge: which answers win, against what chance would give.

It counts how often the answer shown first, the longest, or one of the judge's own family won, from
the journal: of arbiters by their verdicts, of reviewers by the ballots of `council`. A difference
from chance is no proof of a bias: the longest answer may be the best, and so may the family's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from consortium_mcp.core.evaluation.metrics import wilson_interval
from consortium_mcp.core.panel.known_models import family
from consortium_mcp.core.prompts.for_arbiters import in_order
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from consortium_mcp.core.domain.verdict import Response
    from consortium_mcp.core.records.run_record import IterationRecord, RunRecord

FEWEST_RUNS = 20
"""Fewer runs say nothing."""
Kind = Literal["arbiter", "reviewer"]


class Tendency(BaseModel):
    """How often an answer of some kind won."""

    runs: int
    """Runs in which it could win and could lose."""
    share: float | None
    """Mean over the runs, from 0 to 1; `None` for fewer than `FEWEST_RUNS`."""
    interval: tuple[float, float] | None
    """95 %, by Wilson's score over the runs."""
    chance: float | None
    """The share that a judge who draws lots would come to."""


class Judge(BaseModel):
    """One model as arbiter or as reviewer."""

    model: str
    kind: Kind
    runs: int
    """Runs in which it chose between at least two answers."""
    first_shown: Tendency
    longest: Tendency
    own_family: Tendency
    """Only over runs with answers of its own family and of others."""


@dataclass
class _Count:
    """Per measure and run: whether it hit, and the chance of that."""

    runs: set[str] = field(default_factory=set)
    hits: dict[str, dict[str, list[tuple[float, float]]]] = field(default_factory=dict)

    def add(self, run_id: str, measure: str, hit: float, chance: float) -> None:
        if 0 < chance < 1:
            self.hits.setdefault(measure, {}).setdefault(run_id, []).append((hit, chance))

    def tendency(self, measure: str) -> Tendency:
        runs = list(self.hits.get(measure, {}).values())
        if len(runs) < FEWEST_RUNS:
            return Tendency(runs=len(runs), share=None, interval=None, chance=None)
        share = fmean(fmean(hit for hit, _ in run) for run in runs)
        chance = fmean(fmean(chance for _, chance in run) for run in runs)
        interval = wilson_interval(share, len(runs))
        return Tendency(runs=len(runs), share=share, interval=interval, chance=chance)


class Judges:
    """Adds up the judgements of recorded runs, one run at a time."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Kind], _Count] = {}

    def add(self, record: RunRecord) -> None:
        """Count every choice between at least two answers that was made in this run."""
        models = {member.label: member.model for member in record.members}
        run_id = record.report.run_id or ""
        for iteration in record.iterations:
            answered = {r.label: r for r in iteration.responses or () if r.answered}
            for judge, kind, shown, won in _choices(iteration, answered, models):
                self._add(run_id, judge, kind, [answered[label] for label in shown], won)

    def _add(
        self,
        run_id: str,
        judge: str,
        kind: Kind,
        shown: Sequence[Response],
        won: Collection[str],
    ) -> None:
        count = self._counts.setdefault((judge, kind), _Count())
        count.runs.add(run_id)
        lengths = {r.label: len(read_reply(r.text or "").shown) for r in shown}
        kin = family(judge)
        groups = {
            "first_shown": {shown[0].label},
            "longest": {label for label, n in lengths.items() if n == max(lengths.values())},
            "own_family": {r.label for r in shown if kin and family(r.model) == kin},
        }
        for measure, group in groups.items():
            # Of several winners, the share that is of this kind.
            hit = len(group & set(won)) / len(won)
            count.add(run_id, measure, hit, len(group) / len(shown))

    def found(self) -> list[Judge]:
        """The judges, those with most runs first."""
        judges = [
            Judge(
                model=model,
                kind=kind,
                runs=len(count.runs),
                first_shown=count.tendency("first_shown"),
                longest=count.tendency("longest"),
                own_family=count.tendency("own_family"),
            )
            for (model, kind), count in self._counts.items()
        ]
        return sorted(judges, key=lambda judge: (-judge.runs, judge.model, judge.kind))


def _choices(
    iteration: IterationRecord, answered: Mapping[str, Response], models: Mapping[str, str]
) -> Iterator[tuple[str, Kind, Sequence[str], Collection[str]]]:
    """Who chose, as what, among which answers in the order shown, and whose won."""
    verdict = iteration.verdict
    if verdict is None or len(answered) < FEWEST_ANSWERS:
        return
    won = verdict.ranking[:1] or verdict.supporters
    checked = verdict.review is not None and verdict.review.checks
    if verdict.arbiter is not None and won and not checked:
        yield verdict.arbiter, "arbiter", [r.label for r in in_order([*answered.values()])], won
    for ballot in verdict.review.ballots if verdict.review else ():
        if len(ballot.shown) >= FEWEST_ANSWERS:
            yield models[ballot.reviewer], "reviewer", ballot.shown, ballot.ranking[:1]


FEWEST_ANSWERS = 2
