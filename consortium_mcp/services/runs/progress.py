"""How far a run is, told to whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    OnProgress = Callable[["Progress"], Awaitable[None]]

TELL_SECONDS = 4.0
"""How long those who wait are left without word. Clients count the silence between two of them."""


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: float
    total: float | None
    """`None` where it is not known."""
    message: str


class ProgressReporter:
    """Tells one who waits how far the run is, and that it still works when nothing happens.

    Args:
        on_progress: who waits; nobody where `None`.
    """

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._last = Progress(0, None, "")
        self._beats = 0

    async def tell(self, progress: Progress) -> None:
        """Something happened."""
        self._last, self._beats = progress, 0
        if self._on_progress is not None:
            await self._on_progress(progress)

    async def still(self, message: str) -> None:
        """Nothing happened, but the run works.

        MCP wants every number to be greater than the one before: a part of the next step is told,
        more of it each time and never all.
        """
        self._beats += 1
        part = 1 - 1 / (1 + self._beats)
        if self._on_progress is not None:
            told = Progress(self._last.done + part, self._last.total, message)
            await self._on_progress(told)
