from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.records.run_summary import RunPage, RunSummary
from consortium_mcp.frontends.terminal.run_tables import short_time, show_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

RUN_ID = "01M8KDEA9XQ9G585PPBEG1ZJW3"


def summary(**more: Any) -> RunSummary:  # noqa: ANN401
    given = dict.fromkeys(RunSummary.model_fields) | {
        "run_id": RUN_ID,
        "status": "completed",
        "prompt": "Should this migration take a lock?",
        "created_at": datetime.now().astimezone().isoformat(),
        "calls": 3,
        "priced_calls": 0,
        "confidence": 0.85,
        "final_answer": "yes",
    }
    return RunSummary.model_construct(**(given | more))


def test_runs_are_a_table_with_the_id_whole(screen_of: Callable[..., Shown]) -> None:
    for width in (80, 120):
        shown = screen_of(width)
        show_runs(shown, RunPage([summary()], None, ["A note."]), "llm consortium runs --cursor x")
        assert shown.widest <= width
        assert shown.lines[2].startswith(f"{RUN_ID}  {short_time(summary().created_at)}  completed")
        assert "More: llm consortium runs --cursor x" in shown.lines
        assert "Note: A note." in shown.lines


def test_a_nested_run_is_marked_and_next_steps_are_named(screen_of: Callable[..., Shown]) -> None:
    nested = summary(parent_run_id=RUN_ID, status="interrupted", next_step="llm consortium resume")
    shown = screen_of(120)
    show_runs(shown, RunPage([summary(), nested], None, []), None)
    assert "↳ Should this migration" in shown.text
    assert "Next: llm consortium resume" in shown.lines


def test_none_is_said(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(80)
    show_runs(shown, RunPage([], None, []), None)
    assert shown.lines == ["No runs match.", ""]


def test_of_other_years_the_year_is_shown() -> None:
    assert short_time("2001-02-03T12:00:00+00:00").split() == ["03", "Feb", "2001"]
