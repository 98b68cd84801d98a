from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.frontends.terminal.demo_screen import DrawnDemo
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

ANSWERS = [("A", "one", "1.0 s", "It is Tokyo."), ("B", "two", "2.0 s", "Tokyo, I think.")]


def test_answers_stand_side_by_side_where_there_is_room(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(80)
    DrawnDemo(shown).answers(ANSWERS)
    assert [line.split("  ")[0] for line in shown.lines[1:4]] == ["A", "1.0 s", "It is Tokyo."]
    assert shown.lines[3].endswith("Tokyo, I think.")
    shown = screen_of(40)
    DrawnDemo(shown).answers(ANSWERS)
    assert shown.widest <= 40
    assert "B           two (2.0 s): Tokyo, I think." in shown.lines


def test_what_has_happened_stays_and_what_is_waited_for_does_not(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(80)
    demo = DrawnDemo(shown)
    with demo.waiting():
        demo.step("1 of 2 answered", passing=False)
        demo.step("waiting for B", passing=True)
    last = shown.raw.rpartition("\x1b[2K")[2]
    assert "  · 1 of 2 answered\n" in shown.raw
    assert "· waiting for B" not in shown.raw
    assert last == ""


@pytest.mark.anyio
async def test_the_outcome_has_the_colour_of_its_confidence(
    screen_of: Callable[..., Shown],
) -> None:
    run = await consulted(
        run_of("a", max_iterations=1), FakeAsk(a=reply("42", 0.9), judge=verdict())
    )
    usage = Usage(calls=2, input_tokens=1, output_tokens=1, seconds=1.0)
    report = report_of(run, usage, "2026-11-25T00:00:00.000+00:00")
    shown = screen_of(80, colour=True)
    sure = report.model_copy(update={"confidence": 0.9})
    DrawnDemo(shown).outcome([("Confidence", "0.90: so it is"), ("Status", "completed")], sure)
    assert "\x1b[32m0.90: so it is" in shown.raw
