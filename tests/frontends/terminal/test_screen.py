from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.terminal.columns import Cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

ATTACK = "[red]no[/red] \x1b[31mred\x1b]0;title\x07 \x9b2J :smile: [link=x]y[/link]"
HARMLESS = "[red]no[/red] [31mred]0;title 2J :smile: [link=x]y[/link]"


def test_foreign_text_is_no_markup_and_steers_nothing(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(200, colour=True)
    shown.prose(ATTACK)
    shown.bullet(ATTACK)
    shown.line(ATTACK)
    shown.facts([("name", ATTACK)])
    for steering in ("\x1b]", "\x1b[31", "\x07", "\x9b"):
        assert steering not in shown.raw
    shown = screen_of(200)
    shown.prose(ATTACK)
    assert shown.lines[0] == HARMLESS


def test_prose_is_broken_between_words_but_code_and_tables_are_not(
    screen_of: Callable[..., Shown],
) -> None:
    shown = screen_of(20)
    code = "for each in range(1_000_000):"
    table = "| a long | table row |"
    shown.prose(f"It should take the lock.\n\n```\n{code}\n```\n{table}\nAnd \\(x^2\\) stays.")
    assert shown.lines == [
        *("It should take the", "lock.", "", "```", code, "```", table),
        *("And \\(x^2\\) stays.", ""),
    ]


def test_a_style_is_a_colour_only_where_there_is_colour(screen_of: Callable[..., Shown]) -> None:
    for colour in (True, False):
        shown = screen_of(40, colour=colour)
        shown.facts([("status", Cell("failed", "red"))], names=12)
        shown.line("Next: **llm consortium runs**")
        assert ("\x1b[31m" in shown.raw) is colour
        assert ("\x1b[1m" in shown.raw) is colour
        assert "**" not in shown.raw


def test_facts_hang_beside_their_names(screen_of: Callable[..., Shown]) -> None:
    shown = screen_of(24)
    shown.facts([("a", "one two three four five"), ("name", "x")], indent=1)
    assert shown.lines == [" a     one two three", "       four five", " name  x", ""]
