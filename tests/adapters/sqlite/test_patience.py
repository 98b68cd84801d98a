from __future__ import annotations

import anyio
import pytest

from consortium_mcp.adapters.sqlite.connection import Connection
from consortium_mcp.adapters.sqlite.patience import (
    Patience,
    current_patience,
    patience_of,
    shared_patience,
)

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_waits_one_after_the_other_add_up() -> None:
    clock = Clock()
    patience = Patience(2, clock)
    for _ in range(2):
        with patience.spent():
            clock.now += 0.5
        clock.now += 60  # models answer meanwhile
    assert patience.left == 1.0


def test_waits_at_the_same_time_count_once() -> None:
    clock = Clock()
    patience = Patience(2, clock)
    with patience.spent():
        clock.now += 0.5
        with patience.spent():
            clock.now += 0.5
            assert patience.left == 1.0
        assert patience.left == 1.0
    assert patience.left == 1.0


def test_it_runs_out_and_never_below_nothing() -> None:
    clock = Clock()
    patience = Patience(2, clock)
    with patience.spent():
        clock.now += 5
        assert patience.left == 0
    assert patience.left == 0


def test_what_several_calls_waited_for_at_the_same_time_is_spent_once() -> None:
    clock = Clock()
    patience = Patience(2, clock)
    clock.now += 0.5
    for _ in range(3):
        patience.spend(0.5)
    assert patience.left == 1.5


async def test_a_queue_that_moves_costs_no_patience_and_one_that_is_held_up_does() -> None:
    connection = Connection()
    waited = []

    async def take(seconds: float) -> None:
        patience = Patience(2)
        assert await connection.take_turn(patience)
        await anyio.sleep(seconds)
        waited.append(patience.left)
        connection.end_turn()

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(take, 0.01)
    assert waited == [2] * 10
    waited.clear()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(take, 0.5)
    first, *others = waited
    assert first == 2
    assert all(left < 2 for left in others)


async def test_whose_turn_does_not_come_gives_up_after_its_own_time() -> None:
    connection = Connection()
    came = {}
    assert await connection.take_turn(Patience(2))  # and it never ends

    async def take(seconds: float) -> None:
        came[seconds] = await connection.take_turn(Patience(2), seconds)

    async with anyio.create_task_group() as group:
        group.start_soon(take, 0.01)
        group.start_soon(take, 3600)
        with anyio.fail_after(60):
            while 0.01 not in came:  # noqa: ASYNC110 (time must pass)
                await anyio.sleep(0.01)
        assert came == {0.01: False}
        connection.end_turn()
    assert came == {0.01: False, 3600: True}


async def test_a_scope_holds_for_the_tasks_begun_in_it() -> None:
    seen: list[Patience | None] = []

    async def look() -> None:
        seen.append(current_patience())

    async with anyio.create_task_group() as group:
        with shared_patience():
            outer = current_patience()
            with shared_patience():
                assert current_patience() is outer
            with patience_of(0.1):
                assert current_patience() is not outer
            group.start_soon(look)
        group.start_soon(look)
    assert outer is not None
    assert seen == [outer, None]
