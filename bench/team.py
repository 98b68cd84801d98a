"""What a team's server adds to the models' own time: over HTTP, with a login, a queue, PostgreSQL.

    python -m bench.team [--replicas 2] [--runs 1000] [--minutes 1] [--seconds 30] [--history 0]

So many consultations arrive evenly within the minutes, of 50 users, each a request of its own to
one server after the other. Each asks five fake members, which take so many seconds, and is settled
by their votes; so the ideal is that time. `--history` first fills the journal with finished runs.
It needs PostgreSQL's programs; the database is started with fsync off, on the same machine, as is
what asks.
"""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

import argparse
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import httpx2
import psycopg
from llm.plugins import pm

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.frontends.team.serving import serve
from tests.support.fake_models import FakeAsync, FakePlugin, models
from tests.support.fakes import reply
from tests.support.postgres import running_server
from tests.support.team import new_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import IO

    from tests.support.postgres import Server

MEMBERS = [f"m{number}" for number in range(5)]
PANEL = {"models": MEMBERS, "arbiter": "m0", "strategy": "vote"}
USERS = 50
_TICKS = os.sysconf("SC_CLK_TCK")
# The columns that name a run get new values, and all others those of a run that was really made.
_FILL = """
INSERT INTO {table} ({columns}, run_id)
    SELECT {columns}, 'history-' || nth FROM {table}, generate_series(1, {n}) AS copies (nth)
    WHERE run_id = (SELECT min(run_id) FROM runs)
"""


class Waiting(FakeAsync):
    """Agrees after so many seconds."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        """See `llm.AsyncModel`."""
        await anyio.sleep(float(os.environ["BENCH_SECONDS"]))
        async for text in super().execute(prompt, stream, response, conversation):
            yield text


def cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / _TICKS


def cpu_of_database(server: Server) -> float:
    """CPU seconds of all processes of a server."""
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return cpu(parent) + sum(cpu(int(pid)) for pid in children)


def memory(pid: int) -> float:
    """Megabytes, at the most."""
    [line] = [
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) / 1024


class Replica:
    """A server in a process of its own.

    Args:
        url: of the database.
        folder: of llm.
    """

    def __init__(self, url: str, folder: str) -> None:
        ours = {"CONSORTIUM_DATABASE_URL": url, "LLM_USER_PATH": folder}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.team", "--serve"],
            env=os.environ | ours | {"CONSORTIUM_DRAIN_SECONDS": "0"},
            stderr=subprocess.PIPE,
            text=True,
        )
        found = None
        while found is None:
            line = cast("IO[str]", self.process.stderr).readline()
            assert line, "the server ended"
            found = re.search(r"Listening on (\S+/mcp)", line)
        self.address = found[1]


def fill(url: str, n: int) -> None:
    """Copy the first run so many times."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE runs DISABLE TRIGGER USER")
        for table in ("runs", "exchanges", "iterations", "begun_calls"):
            rows = connection.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_name = %s AND column_name NOT IN ('id', 'run_id')",
                [table],
            ).fetchall()
            columns = ", ".join(str(row[0]) for row in rows)
            connection.execute(_FILL.format(table=table, columns=columns, n=n))
        connection.execute("ALTER TABLE runs ENABLE TRIGGER USER")
        connection.execute("VACUUM ANALYZE")


def message(name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A call of a tool in the 2026 protocol, and its headers."""
    about = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": name, "arguments": arguments, "_meta": about}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
    }
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers


async def called(client: httpx2.AsyncClient, address: str, token: str, *call: Any) -> str:  # noqa: ANN401
    """What a tool answers, as text."""
    body, headers = message(*call)
    answer = await client.post(
        address, json=body, headers=headers | {"authorization": f"Bearer {token}"}
    )
    return answer.text


class Asker:
    """Asks, and notes the delays over the ideal."""

    def __init__(self, addresses: Sequence[str], tokens: Sequence[str], seconds: float) -> None:
        self._addresses = addresses
        self._tokens = tokens
        self._seconds = seconds
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
        self.client = httpx2.AsyncClient(limits=limits, timeout=600)
        self.delays: list[float] = []
        self.failed: list[str] = []

    async def one(self, number: int) -> None:
        """Consult and wait."""
        address = self._addresses[number % len(self._addresses)]
        token = self._tokens[number % len(self._tokens)]
        asked = {"prompt": f"Six × 7? ({number})", "wait_seconds": 300} | PANEL
        began = time.monotonic()
        text = await called(self.client, address, token, "consult_consortium", asked)
        self.delays.append(time.monotonic() - began - self._seconds)
        if '"status":"completed"' not in text.replace(" ", ""):
            self.failed.append(text[:300])


async def measure(
    url: str, addresses: Sequence[str], options: argparse.Namespace, look: Callable[[], None]
) -> None:
    """Let the consultations arrive, and say what came of them."""
    tokens = [await new_token(url, f"more {number}") for number in range(USERS)]
    asker = Asker(addresses, tokens, options.seconds)
    async with asker.client:
        for number in range(len(addresses)):  # what is loaded once is not counted
            await asker.one(number)
        asker.delays.clear()
        if options.history:
            await anyio.to_thread.run_sync(fill, url, options.history)
        look()
        began = time.monotonic()
        async with anyio.create_task_group() as asking:
            for number in range(options.runs):
                due = began + number * 60 * options.minutes / options.runs
                await anyio.sleep(max(0.0, due - time.monotonic()))
                asking.start_soon(asker.one, 100 + number)
        look()
    ordered = sorted(asker.delays)
    print(
        f"{options.runs} consultations x {len(MEMBERS)} members x {options.seconds:g} s in "
        f"{options.minutes:g} min, {options.history} runs of history: delay over the ideal "
        f"{statistics.median(ordered):.2f} s (median), {ordered[int(0.95 * len(ordered))]:.2f} s "
        f"(95 %), {ordered[-1]:.2f} s (most); errors {len(asker.failed)}"
    )
    for why in asker.failed[:3]:
        print(f"  {why}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--history", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        fakes = (Waiting(name, reply("42", 0.9)) for name in MEMBERS)
        pm.register(FakePlugin(models(*fakes)), name="fake")
        serve(from_environment(for_team=True), "127.0.0.1", 0)
        return
    os.environ["BENCH_SECONDS"] = str(options.seconds)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {options.replicas} servers")
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        server.make_template()
        with server.database() as url:
            anyio.run(new_token, url, "the first")  # so there is a login
            replicas = [Replica(url, folder) for _ in range(options.replicas)]
            seen: list[list[float]] = []

            def look() -> None:
                servers = sum(cpu(each.process.pid) for each in replicas)
                seen.append([servers, cpu_of_database(server), cpu(os.getpid())])

            try:
                anyio.run(measure, url, [each.address for each in replicas], options, look)
                spent = [1000 * (b - a) / options.runs for a, b in zip(*seen, strict=True)]
                print(
                    f"CPU for each: servers {spent[0]:.1f} ms, database {spent[1]:.1f} ms, who "
                    f"asks {spent[2]:.1f} ms"
                )
                megabytes = max(memory(each.process.pid) for each in replicas)
                print(f"memory: a server {megabytes:.0f} MB at the most")
            finally:
                for each in replicas:
                    each.process.terminate()
                    each.process.wait()


if __name__ == "__main__":
    main()
