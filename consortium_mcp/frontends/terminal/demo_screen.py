"""Draws the demo: its steps as they come, the answers side by side, and the outcome."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from consortium_mcp.frontends.terminal.columns import Cell
from consortium_mcp.frontends.terminal.live import TIMES_A_SECOND, turning_sign
from consortium_mcp.frontends.terminal.reports import confidence_style, status_cell
from consortium_mcp.frontends.terminal.run_tables import show_runs
from consortium_mcp.frontends.terminal.screen import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console, ConsoleOptions, RenderResult

    from consortium_mcp.core.records.run_summary import RunPage
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.terminal.screen import Screen

NAMES = 12
"""Width of what stands at the left."""
NARROWEST = 28
"""Width of an answer beside others."""
GAP = 2


class DrawnDemo:
    """The demo on a terminal.

    Args:
        screen: where.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._waiting = _Waiting()

    def waiting(self) -> AbstractContextManager[object]:
        """While this is open, a line says for how long the demo has been waiting."""
        self._waiting = _Waiting()
        return Live(
            self._waiting,
            console=self._screen.console,
            transient=True,
            refresh_per_second=TIMES_A_SECOND,
        )

    def line(self, name: str, text: str) -> None:
        """What is done, and with what."""
        self._screen.facts([(name, text)], names=NAMES)

    def step(self, message: str, *, passing: bool) -> None:
        """Something that the server reported: it has happened, or is waited for (`passing`)."""
        self._waiting.message = message if passing else ""
        if not passing:
            self._screen.line(f"· {message}", "cyan", indent=2)

    def answers(self, found: Sequence[tuple[str, str, str, str]]) -> None:
        """Each member's label, model, time and text: side by side where there is room."""
        self._screen.line()
        room = self._screen.console.width // (len(found) or 1) - GAP
        if room < NARROWEST:
            for label, model, took, text in found:
                self._screen.facts([(label, f"{model} ({took}): {text}")], names=NAMES)
            return
        grid = Table.grid(padding=(0, GAP), expand=True)
        for _ in found:
            grid.add_column(ratio=1, overflow="fold")
        heads = (
            Text.assemble((f"{label}  ", "bold"), (model, "bold")) for label, model, _, _ in found
        )
        grid.add_row(*heads)
        grid.add_row(*(Text(took, "dim") for _, _, took, _ in found))
        grid.add_row(*(Text(printable(text)) for *_, text in found))
        self._screen.console.print(grid)

    def outcome(self, lines: Sequence[tuple[str, str]], report: RunReport) -> None:
        """What came of it, by name."""
        styles = {
            "Synthesis": "bold",
            "Answer": "bold",
            "Agree": "green",
            "Apart": "yellow",
            "Confidence": confidence_style(report.confidence),
            "Status": status_cell(report.status).style,
            "No answer": "red",
            "Note": "yellow",
        }
        self._screen.line()
        rows = [(name, Cell(text, styles.get(name, ""))) for name, text in lines]
        self._screen.facts(rows, names=NAMES)

    def journal(self, page: RunPage) -> None:
        """The run as the list of past runs shows it."""
        self._screen.line()
        self._screen.heading("Journal")
        show_runs(self._screen, page, None)


class _Waiting:
    """A line that says how long something has been waited for."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.message = ""
        """What is waited for."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        passed = time.monotonic() - self._began
        line = f"  {turning_sign(passed, options)} {passed:.0f} s {self.message}"
        yield Text(line, "dim", no_wrap=True, overflow="ellipsis")
