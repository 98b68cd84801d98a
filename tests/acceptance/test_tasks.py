"""Runs as tasks, for clients that declare the extension; `.ci/conformance` tests its wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import anyio
import pytest
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, EmptyResult, Request, RequestParams, Result

from consortium_mcp.frontends.mcp.protocol.tasks import IDENTIFIER
from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, Connect, data_of

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio

SLOW = {"prompt": "?", "models": ["sure", "slow"], "arbiter": "judge"}


class Handle(Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class State(Result):
    task_id: str
    status: str
    status_message: str | None = None
    result: dict[str, Any] | None = None


class TaskParams(RequestParams):
    task_id: str


class GetTask(Request[TaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams
    name_param = "taskId"


class CancelTask(Request[TaskParams, Literal["tasks/cancel"]]):
    method: Literal["tasks/cancel"] = "tasks/cancel"
    params: TaskParams
    name_param = "taskId"


async def _resolve(handle: Handle, context: Any) -> CallToolResult:  # noqa: ANN401
    while True:
        params = TaskParams(task_id=handle.task_id)
        state = await context.session.send_request(GetTask(params=params), State)
        if state.status != "working":
            return CallToolResult.model_validate(state.result)
        await anyio.sleep(0.05)


class KnowsTasks(ClientExtension):
    identifier = IDENTIFIER

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Handle, resolve=_resolve)]


KNOWING = {"extensions": [KnowsTasks()]}


async def state_of(client: Client, task_id: str) -> State:
    params = TaskParams(task_id=task_id)
    return await client.session.send_request(GetTask(params=params), State)


async def begun(client: Client, arguments: dict[str, Any]) -> Handle:
    handle = await client.session.call_tool("consult_consortium", arguments, allow_claimed=True)
    assert isinstance(handle, Handle)
    return handle


async def test_a_client_that_knows_tasks_gets_the_run_as_one(connect: Connect) -> None:
    async with connect(options=KNOWING) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "Six × 7?"} | PANEL)
        report = data_of(result)
        assert (report["status"], report["final_answer"]) == ("completed", "42")
        again = data_of(await client.call_tool("get_run", {"run_id": report["run_id"]}))
        assert again | {"included": None} == report | {"included": None}


async def test_the_same_run_is_behind_the_task_and_the_tools(connect: Connect) -> None:
    async with connect(options=KNOWING) as client:
        with anyio.fail_after(60):
            handle = await begun(client, SLOW)
        assert handle.status == "working"
        state = await state_of(client, handle.task_id)
        assert (state.status, state.result) == ("working", None)
        assert str(state.status_message).startswith("iteration 1: ")
        listed = data_of(await client.call_tool("list_runs", {}))["runs"]
        assert [run["run_id"] for run in listed] == [handle.task_id]
        cancel = CancelTask(params=TaskParams(task_id=handle.task_id))
        await client.session.send_request(cancel, EmptyResult)
        assert (await state_of(client, handle.task_id)).status == "cancelled"
        run = data_of(await client.call_tool("get_run", {"run_id": handle.task_id}))
        assert run["status"] == "cancelled"


async def test_a_task_outlives_its_server(connect: Connect) -> None:
    async with connect(options=KNOWING) as client:
        handle = await begun(client, {"prompt": "?"} | PANEL)
        with anyio.fail_after(60):
            while (await state_of(client, handle.task_id)).status == "working":  # noqa: ASYNC110
                await anyio.sleep(0.02)
    async with connect(options=KNOWING) as client:
        state = await state_of(client, handle.task_id)
        assert state.status == "completed"
        assert state.result is not None
        assert state.result["structuredContent"]["final_answer"] == "42"


async def test_a_failed_run_is_a_task_whose_result_is_an_error(connect: Connect) -> None:
    async with connect(options=KNOWING) as client:
        asked = {"prompt": "?", "models": ["down"], "arbiter": "judge"}
        result = await client.call_tool("consult_consortium", asked)
        assert result.is_error
        assert "the provider is down" in str(result.structured_content)
        planned = await client.call_tool("consult_consortium", asked | {"dry_run": True})
        assert data_of(planned)["status"] == "planned"
        with pytest.raises(MCPError, match="no task 'nope'"):
            await state_of(client, "nope")


@pytest.mark.parametrize("era", ERAS)
async def test_other_clients_never_see_tasks(connect: Connect, era: str) -> None:
    async with connect(era) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL)
        report = data_of(result)
        assert report["status"] == "completed"
        with pytest.raises(MCPError):
            await state_of(client, report["run_id"])


async def test_an_older_wire_has_no_tasks_even_for_who_knows_them(connect: Connect) -> None:
    async with connect("legacy", options=KNOWING) as client:
        report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
        assert report["status"] == "completed"
        with pytest.raises(MCPError, match="Method not found"):
            await state_of(client, report["run_id"])
