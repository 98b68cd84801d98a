"""The same server over Streamable HTTP on the loopback."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio
import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client
from mcp.shared.exceptions import MCPError

from consortium_mcp.frontends.cli.main import main
from tests.acceptance.conftest import ERAS
from tests.conftest import ROOT
from tests.support.client import PANEL, data_of
from tests.support.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

pytestmark = pytest.mark.anyio
COMMAND = program("tests.support.fake_server", "--http", "--port")


@contextmanager
def serving(
    environment: dict[str, str], port: str = "0"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server on a free port, or on this one: its address, and its process."""
    with subprocess.Popen(
        [*COMMAND, port], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            found = None
            while found is None:
                line = cast("IO[str]", server.stderr).readline()
                assert line, "the server ended"
                found = re.search(r"Listening on (\S+), for this machine only", line)
            yield found[1], server
        finally:
            server.terminate()
            server.communicate(timeout=60)


@pytest.mark.parametrize("era", ERAS)
async def test_a_consultation_over_http_is_seen_by_every_client(
    child_environment: dict[str, str], era: str
) -> None:
    with serving(child_environment) as (url, _):
        async with Client(url, mode=era) as one, Client(url, mode=era) as other:
            asked = {"prompt": "Six × 7?"} | PANEL
            report = data_of(await one.call_tool("consult_consortium", asked))
            assert (report["status"], report["synthesis"]) == ("completed", "It is 42.")
            begun = asked | {"models": ["sure", "late"], "wait_seconds": 0}
            working = data_of(await one.call_tool("consult_consortium", begun))
            assert working["status"] == "working"
            waited = {"run_id": working["run_id"], "wait_seconds": 30}
            ended = data_of(await other.call_tool("get_run", waited))
            assert ended["status"] == "completed"


async def test_foreign_hosts_and_origins_are_refused(child_environment: dict[str, str]) -> None:
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    with serving(child_environment) as (url, _):
        async with httpx2.AsyncClient() as client:

            async def status(**headers: str) -> int:
                accepted = {"accept": "application/json, text/event-stream"}
                return (await client.post(url, json=body, headers=accepted | headers)).status_code

            assert await status() == 200
            assert await status(origin=url.removesuffix("/mcp")) == 200
            assert await status(origin="https://evil.example") == 403
            assert await status(host="evil.example") == 421


async def wait_in_vain(url: str, era: str) -> None:
    """A call whose server ends before the run does."""
    asked = {"prompt": "?", "wait_seconds": 30} | PANEL | {"models": ["sure", "slow"]}
    with suppress(MCPError, ExceptionGroup):
        async with Client(url, mode=era) as client:
            await client.call_tool("consult_consortium", asked)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
@pytest.mark.parametrize(("number", "era"), [(signal.SIGTERM, "legacy"), (signal.SIGINT, "auto")])
async def test_a_signal_ends_it_at_once_and_what_worked_is_interrupted(
    child_environment: dict[str, str], number: signal.Signals, era: str
) -> None:
    with serving(child_environment) as (url, server):
        async with anyio.create_task_group() as group:
            group.start_soon(wait_in_vain, url, era)
            async with Client(url) as client:
                with anyio.fail_after(60):
                    while not data_of(await client.call_tool("list_runs", {}))["runs"]:  # noqa: ASYNC110
                        await anyio.sleep(0.02)
            server.send_signal(number)
            _, errors = await anyio.to_thread.run_sync(partial(server.communicate, timeout=60))
    assert server.returncode in {-number, 128 + number}
    assert "Traceback" not in errors
    assert "ERROR" not in errors
    port = url.removesuffix("/mcp").rpartition(":")[2]
    with serving(child_environment, port) as (again, _):
        assert again == url
        async with Client(again) as client:
            [run] = data_of(await client.call_tool("list_runs", {}))["runs"]
            assert run["status"] == "interrupted"


@pytest.mark.usefixtures("settings")
def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(main, ["--http", "--port", port])
    assert done.exit_code == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.output
    assert "--port" in done.output


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("arguments", [["--port", "1"], ["--http", "doctor"]])
def test_options_that_do_not_go_together_are_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2
