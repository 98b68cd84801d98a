from __future__ import annotations

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.learned import Calibration
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.frontends.page.equation import equation_of
from tests.support.fakes import reply, run_of, verdict
from tests.support.page_runs import record_of


def report(
    a: str, b: str, *, confidence: str = "0.99", calibration: Calibration | None = None
) -> RunReport:
    run = run_of("a", "b", max_iterations=1).model_copy(update={"calibration": calibration})
    judged = verdict(support="A, B", groups="A, B", confidence=confidence)
    return record_of(run, {"a": a, "b": b, "judge": judged}).report


def test_a_confidence_is_its_parts_product() -> None:
    said = report(reply("42", 0.9), reply("42", 0.7))
    assert equation_of(said) == "80 % = 100 % agreement (2 of 2) × 80 % stated"


def test_an_arbiter_that_is_less_sure_is_told() -> None:
    said = report(reply("42", 0.9), reply("42", 0.7), confidence="0.3")
    assert equation_of(said) == (
        "30 % = the arbiter's own 30 %, which is lower than 100 % agreement (2 of 2) × 80 % stated"
    )


def test_without_stated_confidences_there_is_one_part() -> None:
    assert equation_of(report(reply("42"), reply("42"))) == (
        "99 % = the arbiter's own 99 %, which is lower than 100 % agreement (2 of 2)"
    )


def test_a_calibrated_confidence_has_both_numbers() -> None:
    fitted = Calibration(slope=1.0, intercept=-1.0, labelled=300, fitted_at="2026-11-01")
    said = report(reply("42", 0.9), reply("42", 0.7), calibration=fitted)
    assert equation_of(said) == ("60 % calibrated ← 80 % = 100 % agreement (2 of 2) × 80 % stated")


def test_one_answer_of_several_agrees_with_nobody() -> None:
    run = run_of("a", "b", max_iterations=1, strategy="vote")
    down = MemberError("HTTP 500")
    said = record_of(run, {"a": reply("42", 0.8), "b": down, "judge": verdict()}).report
    assert equation_of(said) == "40 % = one answer of 2 asked × 80 % stated"


def test_repeated_instances_and_members_not_asked_are_a_factor() -> None:
    run = run_of("a", "a", "a", max_iterations=1, strategy="vote")
    said = record_of(run, {"a": reply("42", 0.8), "judge": verdict()}).report
    assert equation_of(said) == (
        "72 % = 100 % agreement (3 of 3) × 80 % stated × 90 % as 2 of the votes repeat a model"
    )
    run = run_of(*"abcd", max_iterations=1, strategy="vote", sampling="thrifty")
    script = dict.fromkeys("abcd", reply("42", 0.8))
    said = record_of(run, {**script, "judge": verdict()}).report
    assert equation_of(said) == (
        "76 % = 100 % agreement (2 of 2) × 80 % stated × 95 % as 2 were not asked"
    )


@pytest.mark.parametrize("status", ["working", "failed"])
def test_without_a_confidence_there_is_no_equation(status: str) -> None:
    nothing = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)
    run = run_of("a").model_copy(update={"status": status})
    assert equation_of(report_of(run, nothing, "2026-11-01T00:00:00+00:00")) is None
