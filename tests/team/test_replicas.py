"""Two servers and one database: whichever gets a request, the answer is right."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from itertools import cycle
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

from tests.conftest import ROOT
from tests.support.client import PANEL, data_of, text_of
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.postgres import free_port
from tests.support.team import TeamServer, new_token, team_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, ON_POSTGRES]
HELD = {"models": ["sure", "held"], "arbiter": "judge"}
CONFIRM: dict[str, Any] = {"CONSORTIUM_CONFIRM_CALLS": "6"}


@pytest.fixture
def front(
    database: DatabaseOfTest, child_environment: dict[str, str], token: str
) -> Iterator[TeamServer]:
    """A server that only takes requests."""
    del token  # there is a login
    with team_server(child_environment, str(database.url), "--no-work", **CONFIRM) as made:
        yield made


@pytest.fixture
def back(
    database: DatabaseOfTest, child_environment: dict[str, str], token: str
) -> Iterator[TeamServer]:
    """A server that works on runs, too."""
    del token
    drain: dict[str, Any] = {"CONSORTIUM_DRAIN_SECONDS": "1"}
    with team_server(child_environment, str(database.url), **drain, **CONFIRM) as made:
        yield made


@pytest.fixture
async def token(database: DatabaseOfTest) -> str:
    return await new_token(str(database.url), "alice")


class Listening:
    """What a client is told of."""

    def __init__(self) -> None:
        self.updated: list[str] = []
        self._more = anyio.Event()

    async def run(self, client: Client, uris: list[str], *, task_status: Any) -> None:  # noqa: ANN401
        async with client.listen(resource_subscriptions=uris) as events:
            task_status.started()
            async for event in events:
                if isinstance(event, ResourceUpdated):
                    self.updated.append(event.uri)
                    self._more.set()

    async def until_told(self) -> None:
        with anyio.fail_after(60):
            await self._more.wait()


async def test_a_run_of_the_one_is_followed_and_heard_of_on_the_other(
    front: TeamServer, back: TeamServer, token: str, database: DatabaseOfTest, tmp_path: Path
) -> None:
    strange = await new_token(str(database.url), "bob")
    told: list[str | None] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message)

    async with AsyncExitStack() as stack:
        at_front = await stack.enter_async_context(front.client(token))
        at_back = await stack.enter_async_context(back.client(token))
        bob = await stack.enter_async_context(front.client(strange))
        asked = {"prompt": "Six × 7?", "wait_seconds": 0, "max_calls": 9} | HELD
        plan = await at_front.call_tool("consult_consortium", asked)
        assert "the user wants to be asked" in text_of(plan)
        confirmed = await at_back.call_tool("consult_consortium", asked)
        begun = data_of(confirmed)
        assert begun["run_id"] is not None, text_of(confirmed)
        uri = begun["resource"]
        group = await stack.enter_async_context(anyio.create_task_group())
        hers, his = Listening(), Listening()
        await group.start(hers.run, at_front, [uri])
        await group.start(his.run, bob, [uri])
        (tmp_path / "llm" / "release").touch()
        waits = {"run_id": begun["run_id"], "wait_seconds": 60}
        ended = await at_front.call_tool("get_run", waits, progress_callback=on_progress)
        assert data_of(ended)["status"] == "completed"
        assert any(told)
        await hers.until_told()
        assert uri in hers.updated
        assert his.updated == []
        group.cancel_scope.cancel()


class InTurns(httpx2.AsyncHTTPTransport):
    """Sends each request to the other of two servers, as a balancer does."""

    def __init__(self, *servers: TeamServer) -> None:
        super().__init__()
        self._next = cycle(httpx2.URL(server.root) for server in servers)
        self.asked: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = next(self._next).port
        assert port is not None
        self.asked.append(port)
        request.url = request.url.copy_with(port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        return await super().handle_async_request(request)


async def test_a_confirmation_that_one_server_asked_for_is_given_to_the_other(
    front: TeamServer, back: TeamServer, token: str
) -> None:
    messages: list[str] = []

    async def ask(_context: Any, params: Any) -> ElicitResult:  # noqa: ANN401
        messages.append(params.message)
        return ElicitResult(action="accept", content={"proceed": True})

    balancer = InTurns(front, back)
    options: dict[str, Any] = {"elicitation_callback": ask}
    async with (
        httpx2.AsyncClient(
            transport=balancer, headers={"authorization": f"Bearer {token}"}, timeout=60
        ) as http,
        Client(streamable_http_client(front.url, http_client=http), **options) as client,
    ):
        before = len(balancer.asked)
        asked = {"prompt": "Six × 7?", "max_calls": 9, "max_iterations": 2, "wait_seconds": 60}
        result = await client.call_tool("consult_consortium", asked | PANEL)
        assert data_of(result)["status"] == "completed", text_of(result)
        assert len(messages) == 1
        assert len(set(balancer.asked[before:])) == 2


async def test_a_server_that_ends_hands_its_runs_over(
    back: TeamServer,
    database: DatabaseOfTest,
    child_environment: dict[str, str],
    token: str,
    tmp_path: Path,
) -> None:
    variables: dict[str, Any] = {"CONSORTIUM_DRAIN_SECONDS": "1"}
    with team_server(child_environment, str(database.url), **variables) as other:
        async with back.client(token) as client, anyio.create_task_group() as group:
            begun = data_of(
                await client.call_tool(
                    "consult_consortium",
                    {"prompt": "?", "wait_seconds": 0, "max_iterations": 1} | HELD,
                )
            )
            run_id = begun["run_id"]
            answers: list[dict[str, Any]] = []

            async def wait() -> None:
                waits = {"run_id": run_id, "wait_seconds": 60}
                answers.append(data_of(await client.call_tool("get_run", waits)))

            group.start_soon(wait)
            async with back.http() as http:
                back.process.send_signal(signal.SIGTERM)
                while (await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110 (asked)
                    await anyio.sleep(0.01)
                assert (await http.get("/healthz")).status_code == 200
            async with back.client(token) as late:
                with pytest.raises(MCPError, match="nothing was called"):
                    await late.call_tool("consult_consortium", {"prompt": "?"} | PANEL)
        assert answers[0]["status"] == "working"
        assert "get_run" in answers[0]["next_step"]
        await anyio.to_thread.run_sync(back.process.wait)
        (tmp_path / "llm" / "release").touch()
        async with other.client(token) as client:
            waits = {"run_id": run_id, "wait_seconds": 60}
            ended = await client.call_tool("get_run", waits)
            assert data_of(ended)["status"] == "completed", text_of(ended)


async def test_a_worker_alone_says_how_it_is_and_what_it_does(
    front: TeamServer,
    database: DatabaseOfTest,
    child_environment: dict[str, str],
    token: str,
) -> None:
    port = free_port()
    here = child_environment | {"CONSORTIUM_DATABASE_URL": str(database.url)}
    command = [sys.executable, "-m", "tests.support.fake_server", "work", "--port", str(port)]
    with subprocess.Popen(command, env=here, cwd=ROOT) as worker:  # noqa: ASYNC220 (at once)
        try:
            async with front.client(token) as client:
                asked = {"prompt": "Six × 7?", "wait_seconds": 60, "max_iterations": 1} | PANEL
                report = data_of(await client.call_tool("consult_consortium", asked))
            assert report["status"] == "completed"
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                assert (await http.get("/healthz")).status_code == 200
                assert (await http.get("/readyz")).status_code == 200
                figures = (await http.get("/metrics")).text
            assert 'consortium_runs_total{status="completed"} 1.0' in figures
            assert 'consortium_calls_total{provider="fake"} 3.0' in figures
            async with front.http() as http:
                figures = (await http.get("/metrics")).text
            assert "consortium_runs_working 0.0" in figures
        finally:
            worker.terminate()
            worker.wait(60)
    assert worker.returncode == 0
