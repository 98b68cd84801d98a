from __future__ import annotations

import pytest

from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.records.run_summary import RunSummary
from consortium_mcp.core.reports.next_steps import with_resumes, with_status
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.core.reports.uris import LATEST, run_named
from tests.support.fakes import FakeAsk, answered, config, consulted, reply, run_of, verdict

USAGE = Usage(calls=3, input_tokens=30, output_tokens=None, seconds=1.5)
WHEN = "2026-11-23T12:00:00.000+00:00"


@pytest.mark.anyio
async def test_the_report_is_that_of_the_best_iteration() -> None:
    said = verdict(support="A", groups="A; B", dissent="B: says 41", refinements="count again")
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.4), judge=said)
    run = await consulted(run_of("a", "b", max_iterations=1), ask)
    report = report_of(run, USAGE, WHEN)
    assert report.synthesis == "It is 42."
    assert report.confidence == pytest.approx(0.45)
    assert report.agreement == 0.5
    assert report.iterations == 1
    assert report.refinements == ["count again"]
    assert [(m.label, m.supports, m.final_answer) for m in report.members] == [
        ("A", True, "42"),
        ("B", False, "41"),
    ]
    assert report.resource == "consortium://runs/01TEST"
    assert report.next_step is None
    assert (report.answered, report.asked) == (2, 2)
    assert report.usage == USAGE
    assert RunReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.anyio
async def test_a_failed_run_has_no_number_and_says_who_failed_how() -> None:
    run = await consulted(run_of("a"), FakeAsk(a=MemberError("HTTP 500")))
    report = report_of(run, USAGE, WHEN)
    assert report.status == "failed"
    assert report.error == "No member answered. a: HTTP 500"
    assert [report.confidence, report.agreement, report.synthesis] == [None, None, None]
    assert report.confidence_parts is None
    assert report.members[0].error == "HTTP 500"
    assert report.members[0].supports is None


def test_a_working_run_says_who_has_answered_and_what_to_call_next() -> None:
    run = run_of("a", "b").model_copy(update={"unjudged": (answered("A", "42"),)})
    report = report_of(run, USAGE, WHEN)
    assert [m.status for m in report.members] == ["answered", "waiting"]
    assert report.next_step == 'get_run(run_id="01TEST", wait_seconds=40)'


def test_a_panel_is_written_as_people_write_it() -> None:
    assert members_as_written(config("x", "y", "x")) == ["x:2", "y"]


def test_a_list_shows_the_beginning_of_long_texts() -> None:
    row = {
        "key": 1,
        "run_id": "r",
        "status": "completed",
        "prompt": "p" * 1000,
        "synthesis": None,
        "final_answer": None,
        "confidence": None,
        "agreement": None,
        "consortium": None,
        "strategy": "synthesis",
        "created_at": WHEN,
        "ended_at": None,
        "parent_run_id": None,
    }
    summary = RunSummary.of_row(row)
    assert len(summary.prompt) == 300
    assert summary.synthesis is None


@pytest.mark.parametrize(
    ("fruitless", "member_timeout", "wait", "is_said"),
    [
        (0, None, 120, False),
        (0, 30.0, 30, False),
        (1, 120.0, 240, False),
        (2, 120.0, 480, True),
        (3, 3000.0, 3600, True),
    ],
)
def test_resumes_wait_longer_while_they_bring_nothing(
    fruitless: int,
    member_timeout: float | None,
    wait: int,
    is_said: bool,  # noqa: FBT001 (a row of the table)
) -> None:
    report = with_status(report_of(run_of("a"), USAGE, WHEN), "interrupted")
    found = with_resumes(report, fruitless, member_timeout)
    assert found.next_step == f'resume_run(run_id="01TEST", wait_seconds={wait})'
    assert any("resumes in a row" in warning for warning in found.warnings) is is_said


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        ("latest", LATEST),
        (" Latest ", LATEST),
        ("01jd8z0000000000000000000x", "01JD8Z0000000000000000000X"),
        ("consortium://runs/01JD8Z0000000000000000000X", "01JD8Z0000000000000000000X"),
        ("<consortium://runs/01JD8Z0000000000000000000X/report>", "01JD8Z0000000000000000000X"),
        ("consortium://runs/latest", LATEST),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_a_run_is_named_in_many_ways(name: str, run_id: str) -> None:
    assert run_named(name) == run_id
