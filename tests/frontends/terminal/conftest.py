"""A terminal of a fixed width, and what it shows."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from consortium_mcp.frontends.terminal.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown(Screen):
    """A screen that remembers what it shows."""

    def __init__(self, width: int, height: int = 25, *, colour: bool = False) -> None:
        super().__init__(
            Console(
                file=StringIO(),
                width=width,
                height=height,
                force_terminal=True,
                color_system="standard" if colour else None,
                highlight=False,
                markup=False,
                emoji=False,
                legacy_windows=False,
                _environ={},
            )
        )

    @property
    def raw(self) -> str:
        """All that was written."""
        file = self.console.file
        assert isinstance(file, StringIO)
        return file.getvalue()

    @property
    def lines(self) -> list[str]:
        """The lines without the blanks at their ends."""
        return [line.rstrip() for line in self.raw.split("\n")]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def widest(self) -> int:
        return max(map(len, self.lines))


@pytest.fixture
def screen_of() -> Callable[..., Shown]:
    return Shown
