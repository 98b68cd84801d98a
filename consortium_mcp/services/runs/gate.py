"""An `Ask` that can be closed: what is under way may land, and nothing new begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.principal import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.principal import Principal


class CallGate:
    """Lets calls through until it is closed, because nobody listens any more.

    Args:
        ask: makes the calls.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._on_idle: Callable[[], None] | None = None
        self._under_way = 0

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`; never returns once the gate is closed."""
        if self._on_idle is not None:
            await anyio.sleep_forever()
        self._under_way += 1
        try:
            return await self._ask(question)
        finally:
            self._under_way -= 1
            if self._on_idle is not None and not self._under_way:
                self._on_idle()

    def on_account_of(self, principal: Principal) -> Ask:
        """What makes calls through this gate with the keys of this user."""
        if principal == LOCAL:
            return self

        async def ask(question: Question, /) -> Reply:
            return await self(question.model_copy(update={"account": principal}))

        return ask

    def close(self, on_idle: Callable[[], None]) -> bool:
        """Begin nothing more, and call `on_idle` once the last call under way has ended.

        Returns:
            Whether any is under way.
        """
        self._on_idle = on_idle
        return self._under_way > 0

    async def landed(self) -> None:
        """Wait until what was under way when the gate was closed has ended; no wait if it is open.

        Those who asked go on first, so what has landed is recorded.
        """
        while self._on_idle is not None and self._under_way:  # noqa: ASYNC110 (for a moment only)
            await anyio.sleep(0.02)
