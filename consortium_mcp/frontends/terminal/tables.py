"""Fits a table into the width of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from consortium_mcp.frontends.terminal.columns import Column

GAP = 2
"""Blanks between two columns."""
NARROWEST_FOLD = 16
"""Characters that a column of long texts has at least."""


def shown(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, *, total: bool = False
) -> RenderableType:
    """The table in this width: whole, without spare columns (which it says), or else row by row.

    Args:
        columns: the columns.
        rows: a text for each column.
        width: characters.
        total: whether the last row is the sum of the others.
    """
    places = list(range(len(columns)))
    spare = [place for place in places if columns[place].spare]
    while spare and _least(columns, rows, places) > width:
        places.remove(spare.pop())
    if _least(columns, rows, places) > width:
        return _row_by_row(columns, rows)
    table = Table(box=_LINES, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for place in places:
        column = columns[place]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style,
            header_style="bold",
            no_wrap=not column.folds,
            overflow="fold",
            min_width=_narrowest(columns, rows, place),
        )
    for number, row in enumerate(rows, start=1):
        table.add_row(
            *(row[place] for place in places), end_section=total and number == len(rows) - 1
        )
    left_out = [column.title for place, column in enumerate(columns) if place not in places]
    if not left_out:
        return table
    return Group(table, Text(f"No room for: {', '.join(left_out)}", "dim"))


_LINES = box.Box("    \n    \n ─  \n    \n ─  \n    \n    \n    \n")
"""A line below the head and above a total."""


def _narrowest(columns: Sequence[Column], rows: Sequence[Sequence[Text]], place: int) -> int:
    column = columns[place]
    widest = max([*(row[place].cell_len for row in rows), cell_len(column.title)])
    return min(widest, NARROWEST_FOLD) if column.folds else widest


def _least(columns: Sequence[Column], rows: Sequence[Sequence[Text]], places: Sequence[int]) -> int:
    widths = [_narrowest(columns, rows, place) for place in places]
    return sum(widths) + GAP * (len(widths) - 1)


def _row_by_row(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> RenderableType:
    parts: list[RenderableType] = []
    for row in rows:
        first, *others = row
        head = first.copy()
        head.stylize("bold")
        grid = Table.grid(padding=(0, GAP))
        grid.add_column(style="dim", max_width=NARROWEST_FOLD)
        grid.add_column(overflow="fold")
        for column, cell in zip(columns[1:], others, strict=True):
            if cell.plain:
                grid.add_row(column.title, cell)
        parts += [head, Padding(grid, (0, 0, 0, GAP))]
    return Group(*parts)
