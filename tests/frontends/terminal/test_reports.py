from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.reports.report import Plan, RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.frontends.terminal.reports import show_confidence, show_report
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.frontends.terminal.conftest import Shown

pytestmark = pytest.mark.anyio


async def report(**changes: Any) -> RunReport:  # noqa: ANN401
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42"), c=reply("41"), judge=verdict(support="A, B"))
    run = await consulted(run_of("a", "b", "c", max_iterations=1), ask)
    usage = Usage(calls=4, input_tokens=1, output_tokens=1, seconds=1.0)
    return report_of(run, usage, "2026-11-25T00:00:00.000+00:00").model_copy(update=changes)


@pytest.fixture
def east_of_greenwich() -> Iterator[None]:
    """A reader whose clocks are three hours ahead of UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("Windows has no TZ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EAT-3")
        time.tzset()
        yield
    time.tzset()


async def test_the_answer_comes_first_then_how_sure_it_is_and_who_said_what(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(100)
    whole = await report(warnings=["Mind the gap."], refinements=["Check the sum."])
    show_report(shown, whole)
    text = shown.text
    assert text.startswith("It is 42.\n")
    places = [
        text.index(part)
        for part in (
            "Answer      42",
            f"Confidence  {whole.confidence:.2f}: 2 of 3 members gave this answer",
            "Members (3 of 3 answered)",
            "A  a      supports   42",
            "C  c      disagrees  41",
            "Dissent",
            "Still open",
            "Mind the gap.",
            "completed · strategy synthesis",
            "run 01TEST",
        )
    ]
    assert places == sorted(places)
    assert "**" not in text


@pytest.mark.usefixtures("east_of_greenwich")
async def test_times_are_in_the_readers_zone(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(200)
    show_report(shown, await report())
    assert "2026-11-25 03:00 EAT" in shown.text


@pytest.mark.parametrize("width", [30, 40, 60, 80])
async def test_no_width_is_exceeded(screen_of: Callable[..., Shown], width: int) -> None:
    shown = screen_of(width)
    show_report(shown, await report(next_step="llm consortium resume 01TEST"))
    assert shown.widest <= width


async def test_a_run_without_an_answer_says_why(screen_of: Callable[..., Shown]) -> None:
    run = await consulted(run_of("a", max_iterations=1), FakeAsk(a=MemberError("x"), judge=""))
    usage = Usage(calls=1, input_tokens=None, output_tokens=None, seconds=None)
    shown = screen_of(80)
    show_report(shown, report_of(run, usage, "2026-11-25T00:00:00.000+00:00"))
    assert shown.text.startswith("The consultation failed.")
    assert "Confidence" not in shown.text
    assert "failed" in shown.text


async def test_a_plan_says_what_it_would_cost(screen_of: Callable[..., Shown]) -> None:
    plan = Plan(fewest_calls=3, most_calls=9, estimated_input_tokens=100)
    shown = screen_of(80)
    show_report(shown, await report(status="planned", synthesis=None, plan=plan))
    assert "A plan. No model was called." in shown.text
    assert "3 to 9 calls" in shown.text


async def test_beside_an_answer_stand_its_confidence_and_warnings(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(100, colour=True)
    show_confidence(shown, await report(confidence=0.3, warnings=["Mind the gap."]))
    assert "\x1b[31mConfidence 0.30: 2 of 3 members gave this answer" in shown.raw
    assert "\x1b[33mNote: Mind the gap." in shown.raw
    assert "It is 42" not in shown.raw
