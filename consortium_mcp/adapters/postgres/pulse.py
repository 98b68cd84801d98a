"""Writes heartbeats from a thread of its own, on a connection of its own.

An event loop that begins a thousand runs at once gets to nothing else for seconds; if heartbeats
waited for it, living runs would be told as dead. The thread also hears when somebody wants a run
cancelled or has taken it over, and beats at once then.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.databases.database import Connection

logger = logging.getLogger(__name__)
T = TypeVar("T")
_BEAT_SECONDS = 1.0
_LEAST_SECONDS = 0.05
"""Between two beats, however much others want."""


class PostgresPulse:
    """See `databases.database.Pulse`.

    Args:
        connect: opens a connection that is in no transaction; raises `psycopg.Error`.
        understand: makes a connection understand the journal's SQL.
        seconds: between two beats, where nobody wants anything.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        understand: Callable[[psycopg.Connection], Connection],
        seconds: float = _BEAT_SECONDS,
    ) -> None:
        self._connect = connect
        self._understand = understand
        self._seconds = seconds
        self._ended: threading.Event | None = None
        """Set when the thread is to end; `None` where there is none."""

    def start(self, change: Callable[[Connection], T | None], tell: Callable[[T], object]) -> None:
        """Begin, unless it has begun; it lasts until it is closed."""
        if self._ended is None:
            self._ended = threading.Event()
            told = _from_outside(asyncio.get_running_loop(), tell)
            work = (change, told, self._ended)
            threading.Thread(
                target=self._work, args=work, name="consortium pulse", daemon=True
            ).start()

    def close(self) -> None:
        """End it, if it has begun."""
        if self._ended is not None:
            self._ended.set()
            self._ended = None

    def _work(
        self,
        change: Callable[[Connection], T | None],
        tell: Callable[[T], object],
        ended: threading.Event,
    ) -> None:
        while not ended.is_set():
            try:
                with self._connect() as connection:
                    connection.execute("LISTEN consortium_owners")
                    while not ended.is_set():
                        self._beat(connection, change, tell)
                        time.sleep(_LEAST_SECONDS)
                        for _ in connection.notifies(timeout=self._seconds, stop_after=1):
                            pass
            except psycopg.Error as error:  # the runs themselves say so in their reports
                logger.info("no heartbeat could be written: %s", error)
                ended.wait(_BEAT_SECONDS)

    def _beat(
        self,
        connection: psycopg.Connection,
        change: Callable[[Connection], T | None],
        tell: Callable[[T], object],
    ) -> None:
        with connection.transaction():
            found = change(self._understand(connection))
        if found is not None:
            tell(found)


def _from_outside(
    loop: asyncio.AbstractEventLoop, tell: Callable[[T], object]
) -> Callable[[T], None]:
    """The same for another thread than the event loop's."""

    def told(found: T) -> None:
        with suppress(RuntimeError):  # the loop is closed, so the process ends
            loop.call_soon_threadsafe(tell, found)

    return told
