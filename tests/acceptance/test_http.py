"""The same server over Streamable HTTP on the loopback."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import anyio
import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client

from consortium_mcp.frontends.cli import main
from tests.acceptance.client import PANEL, data_of
from tests.acceptance.conftest import ERAS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

pytestmark = pytest.mark.anyio
COMMAND = [sys.executable, "-m", "tests.acceptance.fake_server", "--http", "--port", "0"]


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server on a free port: its address, and its process."""
    with subprocess.Popen(
        COMMAND, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
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
            server.communicate(timeout=20)


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


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}],
    ids=["host", "origin"],
)
async def test_foreign_hosts_and_origins_are_refused(
    child_environment: dict[str, str], headers: dict[str, str]
) -> None:
    with serving(child_environment) as (url, _):
        async with httpx2.AsyncClient() as client:
            accept = {"accept": "application/json, text/event-stream"}
            body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            answer = await client.post(url, json=body, headers=accept | headers)
            assert answer.status_code in {403, 421}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_marks_what_works(
    child_environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with serving(child_environment) as (url, server):
        async with Client(url, mode="legacy") as client:
            asked = {"prompt": "?", "wait_seconds": 0} | PANEL | {"models": ["sure", "slow"]}
            await client.call_tool("consult_consortium", asked)
            server.send_signal(number)
            await anyio.to_thread.run_sync(server.wait, 10)
    with sqlite3.connect(tmp_path / "llm" / "consortium.db") as connection:
        assert connection.execute("SELECT status FROM runs").fetchall() == [("interrupted",)]
    connection.close()


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
