"""The waits of callers for runs, which a server that is about to end lets go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Iterator


class Waits:
    """Those of one process."""

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._over = False

    @contextmanager
    def lasting(self, seconds: float) -> Iterator[None]:
        """Wait inside for at most so long; then, or when all are let go, what is inside ends."""
        with anyio.move_on_after(0 if self._over else seconds) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def let_go(self) -> None:
        """End every wait, now and from now on: its caller gets the report as it is."""
        self._over = True
        for scope in list(self._scopes):
            scope.cancel()
