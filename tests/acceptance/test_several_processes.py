"""Two desktop clients, an IDE and a terminal on one database."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

PROCESSES = 4
RUNS = 25
MEMBERS = 5


def consult_often(folder: str) -> None:
    """What each of the processes does: cold start, then all its runs at once."""
    os.environ["LLM_USER_PATH"] = folder
    from consortium_mcp.adapters.settings import from_environment  # noqa: PLC0415 (after that)
    from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest  # noqa: PLC0415
    from consortium_mcp.services.assembly import open_service  # noqa: PLC0415

    wanted = ConsortiumSettings(
        models=[f"m:{MEMBERS}"], arbiter="judge", strategy="synthesis", max_iterations=1
    )
    everyone = verdict(support="A, B, C, D, E", groups="", ranking="")

    async def consult() -> None:
        async with open_service(from_environment()) as service, anyio.create_task_group() as group:
            for number in range(RUNS):
                run_id = await service.consult(ConsultRequest(f"Question {number}?", None, wanted))
                group.start_soon(service.wait, run_id, 100)

    with plugin("fake", models(FakeAsync("m", reply("42", 0.9)), FakeAsync("judge", everyone))):
        anyio.run(consult)


async def test_four_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=consult_often, args=[str(tmp_path)]) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        await anyio.to_thread.run_sync(process.join)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    with sqlite3.connect(tmp_path / "consortium.db") as connection:
        runs = connection.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall()
        counts = connection.execute(
            "SELECT role, count(*), count(DISTINCT run_id), count(reply) FROM exchanges"
            " GROUP BY role ORDER BY role"
        ).fetchall()
        healthy = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    every_run = PROCESSES * RUNS
    assert runs == [("completed", every_run)]
    assert counts == [
        ("arbiter", every_run, every_run, every_run),
        ("member", every_run * MEMBERS, every_run, every_run * MEMBERS),
    ]
    assert healthy == [("ok",)]
