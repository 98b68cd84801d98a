from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.domain.verdict import Ballot, Check, PeerReview
from consortium_mcp.core.evaluation.judges import FEWEST_RUNS, Judge, Judges
from consortium_mcp.core.evaluation.metrics import wilson_interval
from consortium_mcp.core.records.run_record import RunRecord
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

if TYPE_CHECKING:
    from consortium_mcp.core.domain.verdict import Verdict

pytestmark = pytest.mark.anyio

MODELS = ("gpt-5", "claude-opus-5", "gemini-3", "gpt-4.1")
NOTHING = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)


async def record(**changes: object) -> RunRecord:
    """A run whose arbiter, claude-sonnet-5, ranks A (gpt-5) first; B's answer is the longest."""
    said = {model: reply("42", 0.5, "I counted.") for model in MODELS}
    said["claude-opus-5"] = reply("42", 0.5, "I counted, and I counted once more.")
    said["claude-sonnet-5"] = verdict(ranking="A, B, C, D", support="A, B", groups="")
    run = await consulted(
        run_of(*MODELS, arbiter="claude-sonnet-5", max_iterations=1),
        FakeAsk(**said),
    )
    found = RunRecord.of(run, report_of(run, NOTHING, "2026-11-24"), (), ())
    iteration = found.iterations[0]
    assert iteration.verdict is not None
    judged: Verdict = iteration.verdict.model_copy(update=changes)
    iteration = iteration.model_copy(update={"verdict": judged})
    return found.model_copy(update={"iterations": (iteration,)})


def over(found: RunRecord, runs: int) -> list[Judge]:
    judges = Judges()
    for number in range(runs):
        report = found.report.model_copy(update={"run_id": f"RUN{number}"})
        judges.add(found.model_copy(update={"report": report}))
    return judges.found()


async def test_an_arbiters_choices_are_held_against_chance() -> None:
    [judge] = over(await record(), FEWEST_RUNS)
    assert (judge.model, judge.kind, judge.runs) == ("claude-sonnet-5", "arbiter", 20)
    assert (judge.first_shown.share, judge.first_shown.chance) == (1.0, 0.25)
    assert (judge.longest.share, judge.longest.chance) == (0.0, 0.25)
    assert (judge.own_family.share, judge.own_family.chance) == (0.0, 0.25)
    assert judge.first_shown.interval == pytest.approx((0.839, 1), abs=0.001)


async def test_under_twenty_runs_nothing_is_said() -> None:
    [judge] = over(await record(), FEWEST_RUNS - 1)
    assert judge.first_shown.runs == 19
    assert judge.first_shown.share is None
    assert judge.first_shown.interval is None


async def test_without_a_ranking_those_it_stands_on_have_won() -> None:
    [judge] = over(await record(ranking=(), supporters=("A", "B")), FEWEST_RUNS)
    assert judge.first_shown.share == 0.5
    assert judge.own_family.share == 0.5


async def test_a_reviewers_ballots_count_and_its_own_family_is_known() -> None:
    ballots = (
        Ballot(reviewer="A", shown=("C", "D", "B"), ranking=("D", "B", "C")),
        Ballot(reviewer="B", shown=("A",), ranking=("A",)),
    )
    found = await record(review=PeerReview(ranking=(), ballots=ballots), arbiter=None)
    [judge] = over(found, FEWEST_RUNS)
    assert (judge.model, judge.kind) == ("gpt-5", "reviewer")
    assert judge.first_shown.share == 0
    assert judge.first_shown.chance == pytest.approx(1 / 3)
    assert (judge.longest.share, judge.own_family.share) == (0, 1)


async def test_what_is_no_choice_is_not_counted() -> None:
    checks = (Check(reviewer="arbiter", of="A", finding="right"),)
    assert over(await record(review=PeerReview(ranking=(), checks=checks)), 20) == []
    assert over(await record(arbiter=None), 20) == []
    assert over(await record(supporters=(), ranking=()), 20) == []
    unjudged = await record()
    iteration = unjudged.iterations[0].model_copy(update={"verdict": None})
    assert over(unjudged.model_copy(update={"iterations": (iteration,)}), 20) == []
    unknown = await record(arbiter="somebody")
    assert over(unknown, 20)[0].own_family.runs == 0


def test_an_interval_is_never_empty() -> None:
    assert wilson_interval(0, 20) == pytest.approx((0, 0.161), abs=0.001)
    assert wilson_interval(0.5, 100) == pytest.approx((0.404, 0.596), abs=0.001)
