"""Runs a plugin's code in threads of its own, and waits for it only so long.

The code is foreign: it may raise anything, even `SystemExit`, ask a server that does not answer,
block the loop it runs on, or never return. The threads are daemons, so one that hangs does not keep
the process from ending. Async code runs on a loop of its provider's own, never on the one that
speaks MCP and keeps time.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from consortium_mcp.adapters.models.failures import described

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
PATIENCE = 8.0
"""Seconds that one call is waited for, over all waits together."""


class PluginCall:
    """One call of foreign code, running or ended.

    Args:
        work: the call.
        patience: seconds that it is waited for in total.
    """

    def __init__(self, work: Callable[[], object], patience: float = PATIENCE) -> None:
        self._work = work
        self._patience = patience
        self._waited = 0.0
        self.failure: str | None = None
        """What it raised, as text for a reader."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (a plugin's code is foreign)
            self.failure = described(error)

    def ended_within(self, seconds: float) -> bool:
        """Wait for the end for up to `seconds`, but no longer than the patience lasts."""
        began = time.monotonic()
        self._thread.join(max(0.0, min(seconds, self._patience - self._waited)))
        self._waited += time.monotonic() - began
        return not self._thread.is_alive()


async def in_thread(work: Callable[[], T]) -> T:
    """Run sync code in a thread that neither cancellation nor the end of the process waits for."""
    context = contextvars.copy_context()
    ended: Future[_Outcome[T]] = Future()

    def run() -> None:
        try:
            outcome = _Outcome(result=context.run(work))
        except BaseException as error:  # noqa: BLE001 (a plugin's code is foreign; raised by `get`)
            outcome = _Outcome[T](error=error)
        with suppress(InvalidStateError, RuntimeError):  # nobody waits any more
            ended.set_result(outcome)

    threading.Thread(target=run, daemon=True).start()
    return (await asyncio.wrap_future(ended)).get()


async def on_loop_of(provider: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run async code on the provider's loop; cancelling this cancels it there.

    A loop that a given-up call has blocked is left behind: the next call gets a new one.
    """

    async def run() -> _Outcome[T]:
        try:
            return _Outcome(result=await work())
        except BaseException as error:  # noqa: BLE001 (a plugin's code is foreign; raised by `get`)
            return _Outcome(error=error)

    loop = _loop_of(provider)
    ended = asyncio.run_coroutine_threadsafe(run(), loop)
    try:
        return (await asyncio.wrap_future(ended)).get()
    except asyncio.CancelledError:
        # Does the loop still turn, or did the call that is given up block it?
        turns = _LAST_SIGNS[provider] = threading.Event()
        loop.call_soon_threadsafe(turns.set)
        raise


@dataclass
class _Outcome(Generic[T]):
    """What came of foreign code: it must not raise into a loop, which `SystemExit` would end."""

    result: T | None = None
    error: BaseException | None = None

    def get(self) -> T:
        if self.error is None:
            return cast("T", self.result)
        if isinstance(self.error, Exception | SystemExit):
            raise self.error
        raise RuntimeError(f"the plugin broke off: {self.error!r}") from self.error


TURNS_WITHIN = 0.1
"""Seconds within which a loop that is not blocked takes its next turn."""
_LOOPS: dict[str, asyncio.AbstractEventLoop] = {}
"""Provider -> its loop. They belong to the process, as llm's plugin manager does."""
_LAST_SIGNS: dict[str, threading.Event] = {}
"""Provider -> set once its loop has turned after a call was given up."""
_LOOPS_LOCK = threading.Lock()


def _loop_of(provider: str) -> asyncio.AbstractEventLoop:
    with _LOOPS_LOCK:
        sign = _LAST_SIGNS.pop(provider, None)
        is_blocked = sign is not None and not sign.wait(TURNS_WITHIN)
        if provider not in _LOOPS or is_blocked:
            loop = _LOOPS[provider] = asyncio.new_event_loop()
            name = f"calls of {provider}"
            threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
        return _LOOPS[provider]
