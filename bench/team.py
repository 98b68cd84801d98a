"""What a team's server adds to the models' own time, with a queue, two workers and one database.

    python -m bench.team [--runs 1000] [--minutes 1] [--seconds 30] [--slots 600] [--history 0]

So many consultations arrive evenly within the minutes. Each asks five fake members, which take so
many seconds, and is settled by their votes; so the ideal is that time. Two worker processes do the
work, and this process takes the requests and waits for each report, as a server without workers
does. `--history` first fills the journal with finished runs. It needs PostgreSQL's programs; the
server is started with fsync off, on the same machine.
"""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import psycopg
from llm.plugins import pm

from consortium_mcp.adapters.settings import Settings, from_environment
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.workers.opening import open_team, run_worker
from tests.support.fake_models import FakeAsync, FakePlugin, models
from tests.support.fakes import reply
from tests.support.postgres import running_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from consortium_mcp.services.service import Service
    from tests.support.postgres import Server

MEMBERS = [f"m{number}" for number in range(5)]
PANEL = ConsortiumSettings(models=MEMBERS, arbiter="m0", strategy="vote")
WORKERS = 2
USERS = 50
_TICKS = os.sysconf("SC_CLK_TCK")
# The columns that name a run get new values, and all others those of a run that was really made.
_FILL = """
INSERT INTO {table} ({columns}, run_id)
    SELECT {columns}, 'history-' || number FROM {table}, generate_series(1, {n}) AS number
    WHERE run_id = (SELECT min(run_id) FROM runs)
"""


class Waiting(FakeAsync):
    """Agrees after so many seconds."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        """See `llm.AsyncModel`."""
        await anyio.sleep(float(os.environ["BENCH_SECONDS"]))
        async for text in super().execute(prompt, stream, response, conversation):
            yield text


def register() -> None:
    """Let llm know the members."""
    fakes = (Waiting(name, reply("42", 0.9)) for name in MEMBERS)
    pm.register(FakePlugin(models(*fakes)), name="fake")


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


def start_worker(url: str, folder: str, slots: int) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    ours = {
        "CONSORTIUM_DATABASE_URL": url,
        "CONSORTIUM_WORKER_RUNS": str(slots),
        "LLM_USER_PATH": folder,
    }
    return subprocess.Popen([sys.executable, "-m", "bench.team", "--work"], env=os.environ | ours)


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


async def one(service: Service, seconds: float, delays: list[float], failed: list[str]) -> None:
    """Consult and wait; note the delay over the ideal."""
    began = time.monotonic()
    run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
    report = await service.wait(run_id, 3600)
    delays.append(time.monotonic() - began - seconds)
    if report.status != "completed":
        failed.append(f"{report.status}: {report.error}")


async def measure(
    settings: Settings, options: argparse.Namespace, look: Callable[[], None]
) -> None:
    """Let the consultations arrive, and say what came of them."""
    delays: list[float] = []
    failed: list[str] = []
    async with anyio.create_task_group() as group, open_team(settings, group, work=False) as team:
        users = [Principal(issuer="bench", subject=str(number)) for number in range(USERS)]
        services = [team.service.for_principal(user) for user in users]
        await one(services[0], options.seconds, [], failed)  # what is loaded once is not counted
        if options.history:
            await anyio.to_thread.run_sync(fill, str(settings.database_url), options.history)
        look()
        began = time.monotonic()
        async with anyio.create_task_group() as asking:
            for number in range(options.runs):
                due = began + number * 60 * options.minutes / options.runs
                await anyio.sleep(max(0.0, due - time.monotonic()))
                service = services[number % USERS]
                asking.start_soon(one, service, options.seconds, delays, failed)
        look()
    ordered = sorted(delays)
    print(
        f"{options.runs} consultations x {len(MEMBERS)} members x {options.seconds:g} s in "
        f"{options.minutes:g} min, {options.history} runs of history: delay over the ideal "
        f"{statistics.median(ordered):.2f} s (median), {ordered[int(0.95 * len(ordered))]:.2f} s "
        f"(95 %), {ordered[-1]:.2f} s (most); errors {len(failed)}"
    )
    for why in failed[:3]:
        print(f"  {why}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--slots", type=int, default=600)
    parser.add_argument("--history", type=int, default=0)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    register()
    if options.work:
        anyio.run(run_worker, from_environment(for_team=True))
        return
    os.environ["BENCH_SECONDS"] = str(options.seconds)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {WORKERS} workers")
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = folder
        server.make_template()
        with server.database() as url:
            workers = [start_worker(url, folder, options.slots) for _ in range(WORKERS)]
            seen: list[list[float]] = []

            def look() -> None:
                here = cpu(os.getpid())
                of_workers = sum(cpu(worker.pid) for worker in workers)
                seen.append([of_workers, here, cpu_of_database(server)])

            try:
                where = Path(folder)
                settings = Settings(where / "none.db", user_dir=where, database_url=url)
                anyio.run(measure, settings, options, look)
                spent = [1000 * (b - a) / options.runs for a, b in zip(*seen, strict=True)]
                print(
                    f"CPU for each: workers {spent[0]:.1f} ms, requests {spent[1]:.1f} ms, "
                    f"database {spent[2]:.1f} ms"
                )
                megabytes = max(memory(worker.pid) for worker in workers)
                print(f"memory: worker {megabytes:.0f} MB, requests {memory(os.getpid()):.0f} MB")
            finally:
                for worker in workers:
                    worker.terminate()
                    worker.wait()


if __name__ == "__main__":
    main()
