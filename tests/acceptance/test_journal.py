"""The real programs with a journal that another process holds, or that is damaged."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.conftest import ROOT
from tests.support.client import PANEL, data_of, text_of
from tests.support.damage import overwritten
from tests.support.locks import LOCKS, locked
from tests.support.programs import program

if TYPE_CHECKING:
    from mcp import Client

    from tests.support.client import Connect

pytestmark = pytest.mark.anyio

QUESTION = {"prompt": "Six × 7?", **PANEL, "min_iterations": 3, "max_iterations": 3}
HANG_SECONDS = 60


async def consulted(client: Client) -> dict[str, Any]:
    with anyio.fail_after(HANG_SECONDS):
        return data_of(await client.call_tool("consult_consortium", QUESTION))


async def saved_report(client: Client, run_id: str) -> dict[str, Any]:
    """The run's report, once nothing of it is missing in the journal."""
    with anyio.fail_after(HANG_SECONDS):
        while True:
            report = data_of(await client.call_tool("get_run", {"run_id": run_id}))
            if not any("Not all of this run" in warning for warning in report["warnings"]):
                return report
            await anyio.sleep(0.1)


@pytest.mark.parametrize("lock", LOCKS)
async def test_a_server_answers_under_a_lock_and_writes_when_it_goes(
    connect: Connect, child_environment: dict[str, str], lock: str
) -> None:
    database = Path(child_environment["LLM_USER_PATH"]) / "consortium.db"
    async with connect() as client:
        await consulted(client)
    async with connect() as client:
        with locked(database, LOCKS[lock]):
            report = await consulted(client)
            assert report["synthesis"] == "It is 42."
            assert any("locked by another program" in each for each in report["warnings"])
            with anyio.fail_after(HANG_SECONDS):
                listed = data_of(await client.call_tool("list_runs", {}))
            assert listed["runs"][0]["run_id"] == report["run_id"]
            assert len(listed["runs"]) == 2 or "locked" in listed["warnings"][0]
        await saved_report(client, report["run_id"])
    async with connect() as client:
        listed = data_of(await client.call_tool("list_runs", {}))
        assert [run["status"] for run in listed["runs"]] == ["completed"] * 2
        found = await client.call_tool(
            "get_run", {"run_id": report["run_id"], "include": ["exchanges"]}
        )
        assert data_of(found)["usage"]["calls"] == 9


async def test_a_damaged_journal_is_told_by_report_list_and_doctor(
    connect: Connect, child_environment: dict[str, str]
) -> None:
    database = Path(child_environment["LLM_USER_PATH"]) / "consortium.db"
    async with connect() as client:
        await consulted(client)
    overwritten(database)
    async with connect() as client:
        report = await consulted(client)
        assert report["synthesis"] == "It is 42."
        listed = await client.call_tool("list_runs", {})
    aside = str(next(database.parent.glob("consortium.damaged-*.db")))
    doctor = run("tests.support.fake_server", child_environment, "doctor")
    for told in (" ".join(report["warnings"]), text_of(listed), doctor.stdout):
        assert "set aside on 20" in told
        assert aside in told
        assert "CONSORTIUM_DB" in told


def run(
    module: str, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program(module, *arguments),
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
        encoding="utf-8",
    )


ASK = (
    "consortium", "Six × 7?", "-m", "sure", "-m", "agrees", "--arbiter", "judge",
    "--strategy", "synthesis", "--quiet",
)  # fmt: skip


def test_a_command_that_ends_before_the_lock_says_what_it_could_not_write(
    child_environment: dict[str, str],
) -> None:
    database = Path(child_environment["LLM_USER_PATH"]) / "consortium.db"
    assert run("tests.support.fake_llm", child_environment, *ASK).returncode == 0
    with locked(database, LOCKS["alone"]):
        asked = run("tests.support.fake_llm", child_environment, *ASK)
    assert asked.stdout == "It is 42.\n"
    assert "missing: the run, 3 calls, the report, 1 iteration" in asked.stderr


def make(folder: Path) -> None:
    folder.mkdir()


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Each file with its number, its time and its content."""
    return {
        each.name: (
            each.stat().st_ino,
            each.stat().st_mtime_ns,
            hashlib.sha256(each.read_bytes()).hexdigest(),
        )
        for each in folder.rglob("*")
        if each.is_file()
    }


async def until_indexed(database: Path) -> None:
    """Wait until the server has made its tables for searching: it writes nothing more by itself."""
    sql = "SELECT 1 FROM sqlite_master WHERE name = 'run_grams'"
    with anyio.fail_after(HANG_SECONDS), closing(sqlite3.connect(database)) as connection:
        while connection.execute(sql).fetchone() is None:  # noqa: ASYNC110 (it is in a file)
            await anyio.sleep(0.05)


@pytest.mark.parametrize("journal", ["closed", "open elsewhere", "overwritten", "none"])
async def test_without_a_log_no_file_is_touched(
    connect: Connect, child_environment: dict[str, str], journal: str
) -> None:
    folder = Path(child_environment["LLM_USER_PATH"])
    saved = {"name": "mine", **PANEL}

    def ask(*more: str) -> subprocess.CompletedProcess[str]:
        before = state(folder)
        asked = run("tests.support.fake_llm", child_environment, *more, "--quiet", "--no-log")
        assert state(folder) == before
        return asked

    make(folder)
    if journal != "none":
        async with connect() as client:
            await client.call_tool("save_consortium", saved)
            if journal == "open elsewhere":  # what was saved is in the log of writes alone
                await until_indexed(folder / "consortium.db")
                assert ask("consortium", "?", "--consortium", "mine").stdout == "It is 42.\n"
    if journal == "overwritten":
        overwritten(folder / "consortium.db")
    assert ask(*ASK).stdout == "It is 42.\n"
    named = ask("consortium", "?", "--consortium", "mine")
    if journal in {"closed", "open elsewhere"}:
        assert named.stdout == "It is 42.\n"
    else:
        assert "Error" in named.stderr
