"""Makes many calls at once, and says what that cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

STEP = 0.005
"""Seconds between two looks at the loop; a stall is what is above that."""


class Took(NamedTuple):
    """Seconds: of CPU and wall time for all calls, and the longest stall of the loop."""

    cpu: float
    wall: float
    stall: float


async def at_once(call: Callable[[], Coroutine[Any, Any, None]], calls: int) -> Took:
    """Make so many calls at the same time."""
    stalls: list[float] = [0.0]

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await anyio.sleep(STEP)
            stalls.append(time.perf_counter() - before - STEP)

    cpu, wall = time.process_time(), time.perf_counter()
    async with anyio.create_task_group() as watching:
        watching.start_soon(watch)
        async with anyio.create_task_group() as group:
            for _ in range(calls):
                group.start_soon(call)
        watching.cancel_scope.cancel()
    return Took(time.process_time() - cpu, time.perf_counter() - wall, max(stalls))
