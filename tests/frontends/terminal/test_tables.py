from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.terminal.columns import Cell, Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

COLUMNS = (
    Column("model"),
    Column("calls", right=True),
    Column("said", folds=True),
    Column("cost", right=True, spare=True),
)
ROWS: list[tuple[str | Cell, ...]] = [
    ("gpt-4o", "3", "It should take the lock.", "$0.12"),
    ("claude-opus-5", "12", "It waits for nobody, and so on and so forth.", Cell("–", "dim")),
]


def test_a_table_that_fits_is_whole_and_numbers_stand_at_the_right(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(90)
    shown.table(COLUMNS, ROWS)
    assert shown.lines[0].split() == ["model", "calls", "said", "cost"]
    assert set(shown.lines[1]) <= {"─", " "}
    assert shown.lines[2].startswith("gpt-4o             3  It should take the lock.")
    assert shown.lines[2].endswith("$0.12")
    assert shown.lines[3].startswith("claude-opus-5     12  It waits")


def test_long_texts_fold_then_spare_columns_go_and_it_says_so(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(46)
    shown.table(COLUMNS, ROWS)
    assert shown.widest <= 46
    assert "$0.12" in shown.text
    assert "No room" not in shown.text
    shown = screen_of(40)
    shown.table(COLUMNS, ROWS)
    assert shown.widest <= 40
    assert "$0.12" not in shown.text
    assert "No room for: cost" in shown.lines


def test_a_terminal_that_is_narrower_still_gets_it_row_by_row(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(30)
    shown.table(COLUMNS, ROWS)
    assert shown.widest <= 30
    assert shown.lines[:2] == ["gpt-4o", "  calls  3"]
    assert "  cost   $0.12" in shown.lines


def test_what_nobody_has_is_no_column(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(80)
    shown.table(COLUMNS[:2], [("a", ""), ("b", "")])
    assert shown.lines[0] == "model"


def test_a_total_stands_below_a_line(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(80)
    shown.table(COLUMNS[:2], [("a", "1"), ("b", "2"), ("total", "3")], total=True)
    assert [line[:1] for line in shown.lines[:6]] == ["m", "─", "a", "b", "─", "t"]


def test_wide_characters_count_twice(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(30)
    shown.table((Column("name"), Column("n", right=True)), [("日本語", "1"), ("abc", "2")])
    assert shown.lines[2:4] == ["日本語  1", "abc     2"]
