"""Callers that wait, give up, cancel and come back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, Connect, data_of, text_of

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio

SLOW = {"prompt": "Six × 7?", "models": ["sure", "slow"], "arbiter": "judge-alone"}


async def only_run(client: Client) -> str:
    """The id of the one run there is, once it has begun."""
    while True:
        if runs := data_of(await client.call_tool("list_runs", {}))["runs"]:
            [run] = runs
            return str(run["run_id"])
        await anyio.sleep(0.05)


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_that_is_over_names_the_call_to_make(connect: Connect, era: str) -> None:
    async with connect(era, CONSORTIUM_WAIT_SECONDS="4") as client:
        result = await client.call_tool("consult_consortium", SLOW)
        report = data_of(result)
        assert report["status"] == "working"
        run_id = report["run_id"]
        assert report["next_step"] == f'get_run(run_id="{run_id}", wait_seconds=40)'
        assert report["next_step"] in text_of(result)
        assert {m["model"]: m["status"] for m in report["members"]} == {
            "sure": "answered",
            "slow": "waiting",
        }
        again = data_of(await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 0.3}))
        assert again["status"] == "working"
        cancelled = data_of(await client.call_tool("cancel_run", {"run_id": run_id}))
        assert cancelled["status"] == "cancelled"


async def test_not_waiting_at_all_returns_at_once(connect: Connect) -> None:
    async with connect() as client:
        await client.call_tool("list_models", {})
        report = data_of(await client.call_tool("consult_consortium", SLOW | {"wait_seconds": 0}))
        assert report["status"] == "working"


async def test_get_run_returns_the_moment_the_run_ends(connect: Connect) -> None:
    models = {"models": ["sure", "late"], "arbiter": "judge"}
    async with connect() as client:
        begun = await client.call_tool(
            "consult_consortium", {"prompt": "?", "wait_seconds": 0} | models
        )
        run_id = data_of(begun)["run_id"]
        with anyio.fail_after(200):
            ended = await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 300})
        assert data_of(ended)["status"] == "completed"


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_that_cancels_while_it_waits_ends_the_run(
    connect: Connect, era: str
) -> None:
    async with connect(era) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "consult_consortium", SLOW)
            run_id = await only_run(client)
            group.cancel_scope.cancel()
        report = data_of(await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 60}))
        assert report["status"] == "cancelled"


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_that_lost_patience_finds_its_answer_later(
    connect: Connect, era: str
) -> None:
    """A client with a 10 s limit and a run of 30 s, both a tenth as long."""
    models = {"models": ["sure", "late"], "arbiter": "judge"}
    async with connect(era) as client:
        await client.call_tool("list_models", {})
        with pytest.raises(MCPError, match="timed out"):
            await client.call_tool(
                "consult_consortium", {"prompt": "?"} | models, read_timeout_seconds=1
            )
        run_id = await only_run(client)
        report = data_of(
            await client.call_tool(
                "get_run", {"run_id": run_id, "wait_seconds": 50}, read_timeout_seconds=60
            )
        )
        assert (report["status"], report["final_answer"]) == ("completed", "42")


async def test_a_client_with_a_10_s_limit_gets_its_answer_of_a_30_s_run(connect: Connect) -> None:
    models = {"models": ["sure", "30 seconds"], "arbiter": "judge"}
    told: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del total, message
        told.append(progress)

    async def patient(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        told.append(-1)
        result = await client.call_tool(
            tool, arguments, read_timeout_seconds=10, progress_callback=on_progress
        )
        return data_of(result)

    began = anyio.current_time()
    async with connect(CONSORTIUM_WAIT_SECONDS="2") as client:
        await client.call_tool("list_models", {})
        report = await patient(client, "consult_consortium", {"prompt": "?"} | models)
        while report["status"] == "working":
            asked = {"run_id": report["run_id"], "wait_seconds": 2}
            report = await patient(client, "get_run", asked)
    assert all(done > before or done == -1 for before, done in pairwise(told))
    # Two answers and a verdict in thirty seconds: the rest says that the run still works.
    assert len([done for done in told if done != -1]) > 5
    assert report["status"] == "completed"
    assert report["final_answer"] == "42"
    assert anyio.current_time() - began >= 30


async def test_cancelling_a_wait_in_get_run_leaves_the_run_alone(connect: Connect) -> None:
    async with connect() as client:
        begun = await client.call_tool("consult_consortium", SLOW | {"wait_seconds": 0})
        run_id = data_of(begun)["run_id"]
        with anyio.move_on_after(0.5):
            await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 30})
        report = data_of(await client.call_tool("get_run", {"run_id": run_id}))
        assert report["status"] == "working"


async def test_a_run_of_another_server_can_be_waited_for_and_cancelled(connect: Connect) -> None:
    async with connect() as client, connect() as other:
        begun = await client.call_tool("consult_consortium", SLOW | {"wait_seconds": 0})
        run_id = data_of(begun)["run_id"]
        seen = data_of(await other.call_tool("get_run", {"run_id": run_id, "wait_seconds": 0.1}))
        assert seen["status"] == "working"
        cancelled = data_of(await other.call_tool("cancel_run", {"run_id": run_id}))
        assert cancelled["status"] == "cancelled"
        mine = data_of(await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 2}))
        assert mine["status"] == "cancelled"


async def test_a_server_that_ended_leaves_its_run_to_the_next(connect: Connect) -> None:
    async with connect() as client:
        begun = await client.call_tool("consult_consortium", SLOW | {"wait_seconds": 0.5})
        run_id = data_of(begun)["run_id"]
    async with connect() as client:
        found = await client.call_tool("list_runs", {"status": "interrupted"})
        assert [run["run_id"] for run in data_of(found)["runs"]] == [run_id]
        assert f'resume_run(run_id="{run_id}", wait_seconds=120)' in text_of(found)
        working = data_of(
            await client.call_tool("resume_run", {"run_id": run_id, "wait_seconds": 0})
        )
        assert working["status"] == "working"
        again = await client.call_tool("resume_run", {"run_id": run_id})
        assert "Nothing was resumed: the run is working." in text_of(again)
        await client.call_tool("cancel_run", {"run_id": run_id})
        over = await client.call_tool("resume_run", {"run_id": run_id})
        assert data_of(over)["status"] == "cancelled"
        assert "Nothing was resumed: the run is cancelled." in text_of(over)


async def test_what_has_ended_says_so(connect: Connect) -> None:
    async with connect() as client:
        report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
        for tool, done in (("resume_run", "resumed"), ("cancel_run", "cancelled")):
            result = await client.call_tool(tool, {"run_id": report["run_id"]})
            assert f"Nothing was {done}: the run is completed." in text_of(result)
            told = data_of(result)
            assert told | {"warnings": []} == report | {"warnings": []}
        assert (
            data_of(await client.call_tool("get_run", {"run_id": report["run_id"]}))["warnings"]
            == report["warnings"]
        )
        for tool in ("resume_run", "cancel_run"):
            unknown = await client.call_tool(tool, {"run_id": "nope"})
            assert unknown.is_error
            assert "list_runs" in text_of(unknown)
