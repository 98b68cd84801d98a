"""Waits for changes of runs that other processes work on, by LISTEN and NOTIFY.

A trigger of the database names each run whose report changes. One thread with one connection hears
it for all who wait in this process, while there are any. Who waits before the thread listens, or
while its connection is lost, is woken as soon as it does, so that nothing is missed. A process that
has died says nothing: who waits should look now and then.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel
import psycopg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

_LISTEN_SECONDS = 0.5
"""How often the thread looks whether it is still needed."""
_LINGER_SECONDS = 10.0
"""How long it listens when nobody waits: somebody may soon."""
_RECONNECT_SECONDS = 1.0
_ALL = ""
"""Stands for every run."""


@dataclass(eq=False)
class _Waiter:
    """Somebody who waits, in the event loop of this token."""

    token: anyio.lowlevel.EventLoopToken
    changed: anyio.Event = field(default_factory=anyio.Event)
    runs: set[str] = field(default_factory=set)
    """What has changed, for whoever listens to all; it belongs to the event loop."""

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed = anyio.Event()

    def wake(self, run_id: str | None) -> None:
        if run_id is not None:
            self.runs.add(run_id)
        self.changed.set()


class Changes:
    """The changes of one database.

    Args:
        connect: opens a connection that is in no transaction; raises `psycopg.Error`.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._waiters: defaultdict[str, set[_Waiter]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._idle_since = 0.0
        self._closed = threading.Event()

    @asynccontextmanager
    async def watching(self, run_id: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """While it lasts, the function waits until the run may have changed."""
        async with self._waiting(run_id) as waiter:
            yield waiter.wait

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[Callable[[], Awaitable[set[str]]]]:
        """While it lasts, the function waits for changes and returns the runs that have changed.

        What changes while the connection is lost is not heard.
        """
        async with self._waiting(_ALL) as waiter:

            async def heard() -> set[str]:
                await waiter.wait()
                runs, waiter.runs = waiter.runs, set()
                return runs

            yield heard

    @asynccontextmanager
    async def _waiting(self, run_id: str) -> AsyncIterator[_Waiter]:
        waiter = _Waiter(anyio.lowlevel.current_token())
        with self._lock:
            self._closed.clear()
            self._waiters[run_id].add(waiter)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._listen, name="consortium changes", daemon=True
                )
                self._thread.start()
        try:
            yield waiter
        finally:
            with self._lock:
                self._waiters[run_id].discard(waiter)
                if not self._waiters[run_id]:
                    del self._waiters[run_id]
                self._idle_since = time.monotonic()

    def close(self) -> None:
        """Stop listening soon, if nobody waits."""
        self._closed.set()

    def _is_over(self) -> bool:
        """Whether nobody needs the thread any more; then it must end."""
        with self._lock:
            idle = time.monotonic() - self._idle_since
            if self._waiters or not (self._closed.is_set() or idle > _LINGER_SECONDS):
                return False
            self._thread = None
            return True

    def _listen(self) -> None:
        while not self._is_over():
            try:
                with self._connect() as connection:
                    connection.execute("LISTEN consortium_runs")
                    self._wake(self._all(), None)
                    while not self._is_over():
                        for told in connection.notifies(timeout=_LISTEN_SECONDS):
                            self._wake(self._of(told.payload), told.payload)
                    return
            except psycopg.Error:  # who waits looks now and then, and will be told
                time.sleep(_RECONNECT_SECONDS)

    def _all(self) -> list[_Waiter]:
        with self._lock:
            return [waiter for waiters in self._waiters.values() for waiter in waiters]

    def _of(self, run_id: str) -> list[_Waiter]:
        with self._lock:
            return [*self._waiters.get(run_id, ()), *self._waiters.get(_ALL, ())]

    @staticmethod
    def _wake(waiters: Iterable[_Waiter], run_id: str | None) -> None:
        by_loop: defaultdict[anyio.lowlevel.EventLoopToken, list[_Waiter]] = defaultdict(list)
        for waiter in waiters:
            by_loop[waiter.token].append(waiter)
        for token, together in by_loop.items():
            with suppress(anyio.RunFinishedError):
                anyio.from_thread.run_sync(_wake_all, together, run_id, token=token)


def _wake_all(waiters: Iterable[_Waiter], run_id: str | None) -> None:
    for waiter in waiters:
        waiter.wake(run_id)
