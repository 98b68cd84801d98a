"""What the tables of both command lines are made of."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column of a table."""

    title: str
    right: bool = False
    """Numbers stand at the right."""
    folds: bool = False
    """Long texts: takes the width that is left, on several lines."""
    spare: bool = False
    """Left out where the terminal is too narrow."""
    style: str = ""


class Cell(NamedTuple):
    """A text with a style of its own, such as `green` or `dim`."""

    text: str
    style: str = ""


Row = tuple[str | Cell, ...]
"""A cell for each column."""
