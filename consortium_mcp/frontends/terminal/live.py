"""Live rows: who has answered, who is still working and for how long, until the run has ended.

Below them stands what the arbiter has written of its synthesis so far.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from consortium_mcp.frontends.terminal.preview import Preview
from consortium_mcp.frontends.terminal.screen import printable
from consortium_mcp.frontends.text.phrases import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console, ConsoleOptions, RenderResult

    from consortium_mcp.services.runs.stage import MemberStage, Stage

TIMES_A_SECOND = 5
PREVIEW_LINES = 6
_MARGIN = 4
"""Lines of the terminal that the rows leave free."""
_TURNING, _PLAIN_TURNING = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_MARKS = {"answered": ("✓", "green"), "failed": ("✗", "red"), "cut": ("–", "yellow")}
_PLAIN_MARKS = {"✓": "+", "✗": "x", "–": "-"}


class LiveRows:
    """Rows on this console, for `one_shot`: they are drawn while the context is open, then erased.

    They are erased, and the cursor is there again, however the context is left.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._preview = Preview()
        self.listen = self._preview.listen
        """Hears the arbiter; see `adapters.calls.listening`."""

    def __call__(self, look: Callable[[], Stage | None]) -> AbstractContextManager[object]:
        """Draw where the run stands, as `look` says, while the context is open."""
        return Live(
            Rows(look, preview=self._preview.text),
            console=self._console,
            transient=True,
            refresh_per_second=TIMES_A_SECOND,
            redirect_stdout=False,  # it may be a pipe
        )


class Rows:
    """The rows of a run, as it stands whenever they are drawn.

    Args:
        look: says where the run stands; `None` once it is over.
        clock: seconds that only grow.
        preview: says what the arbiter has written so far.
    """

    def __init__(
        self,
        look: Callable[[], Stage | None],
        clock: Callable[[], float] = time.monotonic,
        preview: Callable[[], str] = str,
    ) -> None:
        self._look = look
        self._preview = preview
        self._clock = clock
        self._began = clock()
        self._last: Stage | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self._last = stage = self._look() or self._last
        passed = self._clock() - self._began
        sign = turning_sign(passed, options)
        head = _head(stage, passed)
        yield Text(one_line(f"{sign} {head}", options.max_width), "bold", no_wrap=True)
        if stage is not None:
            written = self._written(stage, console, options)
            members, hidden = _that_fit(stage.members, console.height - _MARGIN - len(written))
            grid = Table.grid(padding=(0, 1), pad_edge=False)
            grid.add_column(width=1)
            grid.add_column(no_wrap=True)
            grid.add_column(no_wrap=True, overflow="ellipsis")
            grid.add_column(no_wrap=True, justify="right")
            grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
            for member in members:
                grid.add_row(*_row(member, sign, plain=options.ascii_only))
            yield grid
            if hidden:
                yield Text(f"  … and {hidden} more", "dim")
            yield from written

    def _written(self, stage: Stage, console: Console, options: ConsoleOptions) -> list[Text]:
        """The last lines of what the arbiter writes, while it does."""
        said = "" if stage.weighing_seconds is None else printable(self._preview())
        if not said:
            return []
        most = min(PREVIEW_LINES, console.height // 3)
        return list(Text(said, "dim").wrap(console, options.max_width))[-most:]


def turning_sign(passed: float, options: ConsoleOptions) -> str:
    """A sign that turns as the seconds pass."""
    turning = _PLAIN_TURNING if options.ascii_only else _TURNING
    return turning[int(passed * TIMES_A_SECOND) % len(turning)]


def _head(stage: Stage | None, passed: float) -> str:
    if stage is None or not stage.members:
        return f"{passed:.0f} s · asking"
    done = sum(member.status == "answered" for member in stage.members)
    what = f"{done} of {len(stage.members)} answered"
    if stage.reviews is not None:
        ended, asked = stage.reviews
        what = f"{ended} of {asked} reviews"
    elif stage.weighing_seconds is not None:
        what += f", weighing the answers ({stage.weighing_seconds:.0f} s)"
    before = "" if stage.confidence is None else f" · {stage.confidence:.2f} sure so far"
    where = f"iteration {stage.iteration} of {stage.most_iterations}"
    return f"{passed:.0f} s · {where}: {what}{before}"


def _that_fit(members: Sequence[MemberStage], room: int) -> tuple[Sequence[MemberStage], int]:
    """The members that are shown, and how many are not: of many, those that have answered."""
    if len(members) <= room:
        return members, 0
    first = sorted(members, key=lambda member: member.status == "answered")[: max(room - 1, 1)]
    return [member for member in members if member in first], len(members) - len(first)


def _row(member: MemberStage, sign: str, *, plain: bool) -> tuple[Text, ...]:
    mark, style = _MARKS.get(member.status, (sign, "cyan"))
    took = "" if member.seconds is None else f"{member.seconds:.1f} s"
    if member.status == "working":
        took = f"{member.seconds or 0:.0f} s"
    said = f"“{member.final_answer}”" if member.final_answer else member.error or ""
    return (
        Text(_PLAIN_MARKS.get(mark, mark) if plain else mark, style),
        Text(member.label),
        Text(printable(member.model)),
        Text(took, "dim"),
        Text(one_line(printable(said), 200), "red" if member.status == "failed" else ""),
    )
