"""Draws on a terminal: headings, texts, facts and tables, no wider than it is.

Colour, `NO_COLOR`, `TERM=dumb` and the width are rich's business. Texts of models and files never
count as markup, and lose what would steer the terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consortium_mcp.frontends.terminal.columns import Cell, Column
from consortium_mcp.frontends.terminal.tables import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consortium_mcp.frontends.terminal.columns import Row

LONGEST_NAME = 30
"""Characters of a name beside a fact; longer ones take several lines."""
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_FENCE = re.compile(r"\s*(```|~~~)")
_FORMED = re.compile(r"(    |\t|\s*\|)")
"""Begins a line of code or of a table, whose form would be lost by breaking it between words."""


def console_of(stream: TextIO) -> Console:
    """A console on this stream that shows texts as they are."""
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)


def printable(text: str) -> str:
    """The text without characters that steer a terminal."""
    return _STEERING.sub("", text)


class Screen:
    """A terminal that a person looks at.

    Args:
        console: where to draw.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    def heading(self, text: str) -> None:
        """A title."""
        self.line(text, "bold")

    def line(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """A text, broken between words; what stands between `**` is bold."""
        shown = _styled(text, style)
        self.console.print(Padding.indent(shown, indent) if indent else shown)

    def bullet(self, text: str, style: str = "") -> None:
        """A text with a dot before it."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(overflow="fold")
        grid.add_row("·", _styled(text, style))
        self.console.print(Padding.indent(grid, 1))

    def prose(self, text: str) -> None:
        """A model's text, word for word: prose is broken between words, code and tables are not."""
        in_code = False
        for line in printable(text).split("\n"):
            is_fence = _FENCE.match(line) is not None
            formed = in_code or is_fence or _FORMED.match(line) is not None
            in_code ^= is_fence
            if formed:
                self.console.print(Text(line), soft_wrap=True)
            else:
                self.console.print(Text(line, overflow="fold"))

    def facts(
        self, pairs: Iterable[tuple[str, str | Cell]], *, indent: int = 0, names: int | None = None
    ) -> None:
        """Names and what they stand for.

        Args:
            pairs: the names, and what stands beside each.
            indent: columns to leave free at the left.
            names: characters for the names; `None` for as many as the longest has.
        """
        grid = Table.grid(padding=(0, 2, 0, 0))
        width = None if names is None else names - 2
        grid.add_column(style="bold", overflow="fold", width=width, max_width=LONGEST_NAME)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            text, style = value if isinstance(value, Cell) else (value, "")
            grid.add_row(Text(printable(name)), _styled(text, style))
        self.console.print(Padding.indent(grid, indent))

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        total: bool = False,
        indent: int = 0,
    ) -> None:
        """A table, or its rows one below the other where it is too narrow for that.

        Args:
            columns: the columns; one without any text is left out.
            rows: the rows.
            total: whether the last row is the sum of the others.
            indent: columns to leave free at the left.
        """
        cells = [[_cell(each) for each in row] for row in rows]
        used = [place for place in range(len(columns)) if any(row[place].plain for row in cells)]
        columns = [columns[place] for place in used]
        cells = [[row[place] for place in used] for row in cells]
        width = self.console.width - indent
        self.console.print(Padding.indent(shown(columns, cells, width, total=total), indent))


def _cell(cell: str | Cell) -> Text:
    text, style = cell if isinstance(cell, Cell) else (cell, "")
    return Text(printable(text), style)


def _styled(text: str, style: str) -> Text:
    found = Text("", style=style, overflow="fold")
    for place, part in enumerate(_STRONG.split(printable(text))):
        found.append(part, "bold" if place % 2 else "")
    return found
