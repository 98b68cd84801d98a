"""How long a piece of work may be held up by a file that is locked: once for all of its calls.

A consultation reads and writes the journal many times. If each call waited for a lock for its own
two seconds, an answer could be a minute late. So whoever begins a piece of work opens a scope, as
one does with anyio's cancel scopes; every call to the journal within it, also in tasks begun there,
draws on the same seconds. When they are used up, calls are still tried, but do not wait.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 2.0
"""How long an answer or a list may be late because the journal is locked."""


class Patience:
    """Seconds that may be spent waiting; calls that wait at the same time spend them together.

    Args:
        seconds: how many there are.
        clock: seconds that never go back.
    """

    def __init__(
        self, seconds: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._waiting = 0
        self._since = 0.0
        self._counted = clock()
        """Up to when waiting is counted."""

    @property
    def left(self) -> float:
        """Seconds that are left now; never less than 0."""
        spent = self._clock() - self._since if self._waiting else 0.0
        return max(0.0, self._seconds - spent)

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the time within as waiting. What a call itself takes, a millisecond, counts too."""
        if not self._waiting:
            self._since = self._clock()
        self._waiting += 1
        try:
            yield
        finally:
            left = self.left
            self._waiting -= 1
            if not self._waiting:
                self._seconds = left
                self._counted = self._clock()

    def spend(self, seconds: float) -> None:
        """Count waiting that has just ended; no second counts twice."""
        now = self._clock()
        self._seconds = max(0.0, self._seconds - min(seconds, now - self._counted))
        self._counted = now


_current: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current_patience() -> Patience | None:
    """The patience of the work that this call belongs to; `None` if it stands alone."""
    return _current.get()


@contextmanager
def patience_of(seconds: float) -> Iterator[None]:
    """A scope of so many seconds, whatever scope is around it."""
    token = _current.set(Patience(seconds))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def shared_patience() -> Iterator[None]:
    """The scope of a piece of work; within a larger one it draws on that one's seconds."""
    if _current.get() is not None:
        yield
        return
    with patience_of(PATIENCE_SECONDS):
        yield
