from __future__ import annotations

import pytest

from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.domain.verdict import FieldOutcome, ValueVote
from consortium_mcp.core.evaluation.leaderboard import Leaderboard
from consortium_mcp.core.reports.report import MemberReport, RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import run_of

NOTHING = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)


def member(model: str, stands: str | None, status: str = "answered") -> MemberReport:
    supports = {"with": True, "against": False, None: None}[stands]
    return MemberReport(
        label=model,
        model=model,
        status=status,
        final_answer="42",
        stated_confidence=None,
        supports=supports,
        error=None,
        seconds=2.0 if supports else 4.0,
        input_tokens=7 if supports else None,
        output_tokens=100 if supports else None,
    )


def report(*members: MemberReport, status: Status = "completed") -> RunReport:
    empty = report_of(run_of("a"), NOTHING, "2026-11-24")
    return empty.model_copy(update={"members": list(members), "status": status})


def test_models_are_counted_by_how_often_they_stood_with_the_verdict() -> None:
    board = Leaderboard()
    board.add(report(member("a", "with"), member("b", "with"), member("c", "against")))
    board.add(report(member("a", "with"), member("b", "against"), member("c", "against")))
    board.add(report(member("a", "with"), member("b", None, "failed"), member("c", "with")))
    a, b, c = sorted(board.standings(), key=lambda s: s.model)
    assert board.runs == 3
    assert (a.asked, a.with_verdict, a.alone_against, a.failed) == (3, 3, 0, 0)
    assert (b.asked, b.answered, b.judged, b.with_verdict, b.failed) == (3, 2, 2, 1, 1)
    assert (c.with_verdict, c.alone_against) == (1, 1)  # in the second run two stood apart
    assert [s.model for s in board.standings()] == ["a", "b", "c"]
    assert (a.median_seconds, c.median_seconds) == (2.0, 4.0)
    assert a.mean_output_tokens == 100
    assert (a.mean_input_tokens, b.mean_input_tokens) == (7, 7)


def test_one_against_one_is_not_alone() -> None:
    board = Leaderboard()
    board.add(report(member("a", "with"), member("b", "against")))
    assert [s.alone_against for s in board.standings()] == [0, 0]


@pytest.mark.parametrize("status", ["working", "failed", "cancelled", "interrupted"])
def test_without_a_verdict_nobody_stands_with_it(status: Status) -> None:
    board = Leaderboard()
    board.add(report(member("a", None), member("b", None, "cut"), status=status))
    a, b = board.standings()
    assert (board.runs, a.judged, a.with_verdict, b.failed) == (0, 0, 0, 1)
    assert b.median_seconds is None


def test_who_was_spared_or_is_waited_for_was_not_asked() -> None:
    board = Leaderboard()
    board.add(report(member("a", None, "spared"), member("b", None, "waiting")))
    assert board.standings() == []


def outcome(*votes: tuple[object, str]) -> FieldOutcome:
    found = tuple(ValueVote(value=value, labels=tuple(who)) for value, who in votes)
    return FieldOutcome(
        path="/x", value=votes[0][0], agreement=0.5, confidence=0.5, votes=found, settled_by="vote"
    )


def test_of_objects_each_field_counts_for_whoever_voted_on_it() -> None:
    board = Leaderboard()
    fields = [outcome((1, "ab"), (2, "c")), outcome((1, "abc")), outcome((1, "c"))]
    fields.append(outcome((1, "az")))  # z is no member here
    of_objects = report(member("a", "with"), member("b", "with"), member("c", "with"))
    board.add(of_objects.model_copy(update={"fields": fields}))
    board.add(of_objects.model_copy(update={"fields": fields, "status": "cancelled"}))
    a, b, c = board.standings()
    assert (a.fields, a.fields_with_verdict) == (2, 2)
    assert (b.fields, b.fields_with_verdict) == (2, 2)
    assert (c.fields, c.fields_with_verdict) == (2, 1)
