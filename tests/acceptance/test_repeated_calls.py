"""Agents that repeat a call before its answer is there: one run, one bill."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp_types import ElicitResult

from tests.acceptance.conftest import ERAS
from tests.support.client import Connect, data_of, text_of

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult

pytestmark = pytest.mark.anyio

HELD = {"prompt": "Six × 7?", "models": ["sure", "held"], "arbiter": "judge"}
"""Answered when `released`."""
CALLS = 5


def released(environment: dict[str, str]) -> None:
    (Path(environment["LLM_USER_PATH"]) / "release").touch()


def counted(environment: dict[str, str]) -> tuple[int, int, int]:
    """Runs, calls that have begun, and the most calls of one model, as the database has them."""
    with sqlite3.connect(Path(environment["LLM_USER_PATH"]) / "consortium.db") as connection:
        [[runs]] = connection.execute("SELECT count(*) FROM runs").fetchall()
        [[calls]] = connection.execute("SELECT count(*) FROM exchanges").fetchall()
        [[most]] = connection.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM exchanges GROUP BY model)"
        ).fetchall()
    connection.close()
    return runs, calls, most


async def asked_at_once(
    environment: dict[str, str], clients: list[Client], question: dict[str, Any]
) -> list[CallToolResult]:
    """What each of the calls returns; models answer once all calls are waiting."""
    results: list[CallToolResult] = []
    waiting: set[int] = set()

    async def call(number: int) -> None:
        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            del progress, total, message
            waiting.add(number)

        client = clients[number % len(clients)]
        results.append(
            await client.call_tool("consult_consortium", question, progress_callback=on_progress)
        )

    async with anyio.create_task_group() as group:
        for number in range(CALLS):
            group.start_soon(call, number)
        with anyio.fail_after(90):
            while len(waiting) < CALLS:  # noqa: ASYNC110 (their progress comes from outside)
                await anyio.sleep(0.05)
        released(environment)
    return results


@pytest.mark.parametrize("servers", [1, 2])
@pytest.mark.parametrize("era", ERAS)
async def test_a_call_repeated_five_times_at_once_is_one_run_and_one_bill(
    connect: Connect, child_environment: dict[str, str], era: str, servers: int
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(era)) for _ in range(servers)]
        results = await asked_at_once(child_environment, clients, HELD)
        reports = [data_of(result) for result in results]
        assert len({report["run_id"] for report in reports}) == 1
        assert [report["final_answer"] for report in reports] == ["42"] * CALLS
        assert sorted(report["joined"] for report in reports) == [False] + [True] * (CALLS - 1)
        for result, report in zip(results, reports, strict=True):
            assert ("this call began no second run" in text_of(result)) == report["joined"]
        assert {report["usage"]["calls"] for report in reports} == {2}
        own = data_of(await clients[0].call_tool("get_run", {"run_id": "latest"}))
        assert own["joined"] is False
    assert counted(child_environment) == (1, 2, 1)


@pytest.mark.parametrize("era", ERAS)
async def test_the_run_goes_on_until_nobody_wants_it(
    connect: Connect, child_environment: dict[str, str], era: str
) -> None:
    slow = {"prompt": "Six × 7?", "models": ["sure", "slow"], "arbiter": "judge-alone"}
    joined = anyio.Event()

    async def on_progress(*_: float | str | None) -> None:
        joined.set()

    async def call(client: Client, scope: anyio.CancelScope, progress: Any = None) -> None:  # noqa: ANN401
        with scope:
            await client.call_tool("consult_consortium", slow, progress_callback=progress)

    async with connect(era) as client, anyio.create_task_group() as group:
        first, second = anyio.CancelScope(), anyio.CancelScope()
        group.start_soon(call, client, first)
        while not data_of(await client.call_tool("list_runs", {}))["runs"]:  # noqa: ASYNC110
            await anyio.sleep(0.05)
        group.start_soon(call, client, second, on_progress)
        await joined.wait()
        first.cancel()  # the one that began it
        report = data_of(
            await client.call_tool("get_run", {"run_id": "latest", "wait_seconds": 0.5})
        )
        assert report["status"] == "working"
        second.cancel()
        ended = data_of(await client.call_tool("get_run", {"run_id": "latest", "wait_seconds": 60}))
        assert ended["status"] == "cancelled"
    assert counted(child_environment)[0] == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_run_that_is_joined_or_reused_needs_no_confirmation(
    connect: Connect, child_environment: dict[str, str], era: str
) -> None:
    asked: list[str] = []

    async def accept(_context: object, params: Any) -> ElicitResult:  # noqa: ANN401
        asked.append(params.message)
        return ElicitResult(action="accept", content={"proceed": True})

    options = {"elicitation_callback": accept}
    async with connect(era, options, CONSORTIUM_CONFIRM_CALLS="1") as client:
        begun = await client.call_tool("consult_consortium", HELD | {"wait_seconds": 0})
        again = await client.call_tool("consult_consortium", HELD | {"wait_seconds": 0})
        released(child_environment)
        run_id = data_of(begun)["run_id"]
        await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 60})
        reused = await client.call_tool("consult_consortium", HELD | {"reuse": "1h"})
    assert [data_of(each)["run_id"] for each in (again, reused)] == [run_id, run_id]
    assert data_of(again)["joined"] is True
    assert data_of(reused)["age_seconds"] >= 0
    assert "**Not asked anew.**" in text_of(reused)
    assert len(asked) == 1
    assert counted(child_environment) == (1, 2, 1)


async def test_what_is_no_age_is_told_with_an_example(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("consult_consortium", HELD | {"reuse": "an hour"})
    assert result.is_error
    assert "write 30s, 10m, 36h or 7d" in text_of(result)
