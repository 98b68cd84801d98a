from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.frontends.terminal.live import PREVIEW_LINES, LiveRows, Rows
from consortium_mcp.services.runs.stage import MemberStage, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

MEMBERS = (
    MemberStage("A", "gpt-4o", "answered", 3.21, "42"),
    MemberStage("B", "claude-opus-5", "working", 12.4),
    MemberStage("C", "down", "failed", 0.5, error="the provider is down\nfor now"),
    MemberStage("D", "slow", "cut", None),
)


def drawn(shown: Shown, *stages: Stage | None) -> list[str]:
    """The rows of the last of these stages, after all were drawn."""
    found = iter(stages)
    rows = Rows(lambda: next(found), clock=lambda: 7.0)
    for _ in stages[:-1]:
        list(rows.__rich_console__(shown.console, shown.console.options))
    shown.console.print(rows)
    return shown.lines


def test_each_member_has_a_row_with_what_is_known(screen_of: Callable[..., Shown]) -> None:
    assert drawn(screen_of(80), Stage(1, 3, MEMBERS)) == [
        "⠋ 0 s · iteration 1 of 3: 1 of 4 answered",
        "✓ A gpt-4o        3.2 s “42”",
        "⠋ B claude-opus-5  12 s",
        "✗ C down          0.5 s the provider is down for now",
        "– D slow",
        "",
    ]


def test_the_head_says_what_the_run_does(screen_of: Callable[..., Shown]) -> None:
    head = "⠋ 0 s · iteration 2 of 3: "
    for stage, said in (
        (Stage(2, 3, MEMBERS, weighing_seconds=4.4), "1 of 4 answered, weighing the answers (4 s)"),
        (Stage(2, 3, MEMBERS, confidence=0.62), "1 of 4 answered · 0.62 sure so far"),
        (Stage(2, 3, MEMBERS, weighing_seconds=1.0, reviews=(2, 6)), "2 of 6 reviews"),
    ):
        assert drawn(screen_of(90), stage)[0] == f"{head}{said}"
    assert drawn(screen_of(80), None)[0] == "⠋ 0 s · asking"


def test_what_was_last_seen_stays_when_the_run_is_over(screen_of: Callable[..., Shown]) -> None:
    assert "1 of 4 answered" in drawn(screen_of(80), Stage(1, 1, MEMBERS), None)[0]


@pytest.mark.parametrize("width", [20, 40])
def test_a_row_is_one_line_in_any_width(screen_of: Callable[..., Shown], width: int) -> None:
    shown = screen_of(width)
    lines = drawn(shown, Stage(1, 3, MEMBERS))
    assert len(lines) == 6
    assert shown.widest <= width


def test_of_many_those_that_still_work_are_shown(screen_of: Callable[..., Shown]) -> None:
    done = tuple(MemberStage(f"M{n}", "fast", "answered", 1.0) for n in range(30))
    lines = drawn(screen_of(60, height=12), Stage(1, 1, (*done, MEMBERS[1])))
    assert len(lines) <= 12
    assert any("claude-opus-5" in line for line in lines)
    assert "  … and 24 more" in lines


def test_what_the_arbiter_writes_stands_below_while_it_does(
    screen_of: Callable[..., Shown],
) -> None:
    written = "\n".join(f"line {n}\x1b[2J" for n in range(20))
    for seconds, expected in ((None, []), (1.0, [f"line {n}[2J" for n in range(14, 20)])):
        stage = Stage(1, 3, MEMBERS, weighing_seconds=seconds)
        shown = screen_of(60)
        shown.console.print(Rows(iter([stage]).__next__, lambda: 7.0, lambda: written))
        assert shown.lines[5:-1] == expected
    low = screen_of(60, height=9)
    low.console.print(Rows(lambda: stage, lambda: 7.0, lambda: "a word " * 200))
    assert len(low.lines) - 1 <= 9
    assert low.widest <= 60
    assert PREVIEW_LINES == 6


def test_they_are_erased_and_the_cursor_is_back_after_an_error(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(60)
    with (
        pytest.raises(RuntimeError, match="broken"),
        LiveRows(shown.console)(lambda: Stage(1, 1, MEMBERS)),
    ):
        raise RuntimeError("broken")
    assert shown.raw.index("\x1b[?25l") < shown.raw.index("\x1b[?25h")
    assert shown.raw.count("\x1b[2K") >= 5
