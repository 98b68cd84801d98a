"""A client that starts the server anew for each call, as LangChain's adapters do by default."""

from __future__ import annotations

import ast
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client import data_of

if TYPE_CHECKING:
    from tests.support.client import Connect

pytestmark = pytest.mark.anyio
ENDED = {"completed", "degraded", "failed", "cancelled"}


def step(text: str) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments of a `next_step`."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    return call.func.id, {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}


def tries(folder: str) -> dict[str, int]:
    """How often each model was asked, by what was noted and what landed."""
    with sqlite3.connect(Path(folder) / "consortium.db") as connection:
        rows = [
            *connection.execute("SELECT model, label, tries FROM begun_calls"),
            *connection.execute("SELECT model, label, tries FROM exchanges"),
        ]
    connection.close()
    return {model: max(n for m, _, n in rows if m == model) for model, _, _ in rows}


async def test_a_run_three_times_as_long_as_the_wait_ends(
    connect: Connect, child_environment: dict[str, str]
) -> None:
    tool, arguments = "consult_consortium", {
        "prompt": "Six × 7?", "models": ["sure", "6 seconds"], "arbiter": "judge",
        "strategy": "synthesis",
    }  # fmt: skip
    for _ in range(6):
        async with connect(CONSORTIUM_WAIT_SECONDS="2") as client:
            report = data_of(await client.call_tool(tool, arguments))
        if report["status"] in ENDED:
            break
        tool, arguments = step(report["next_step"])
    assert (report["status"], report["final_answer"]) == ("completed", "42")
    asked = tries(child_environment["LLM_USER_PATH"])
    assert max(asked.values()) <= 2
    assert report["usage"]["calls"] == 4  # one was cut off
    assert any("6 seconds) once" in warning for warning in report["warnings"])


async def test_calls_under_way_land_within_the_clients_patience(connect: Connect) -> None:
    """The SDK's client waits two seconds after it has closed the input."""
    asked = {"prompt": "Six × 7?", "models": ["sure", "a second"], "arbiter": "judge"}
    async with connect() as client:
        await client.call_tool("list_models", {})
        begun = data_of(await client.call_tool("consult_consortium", asked | {"wait_seconds": 0}))
    async with connect() as client:
        report = data_of(await client.call_tool("get_run", {"run_id": begun["run_id"]}))
    assert {member["model"]: member["status"] for member in report["members"]} == {
        "sure": "answered",
        "a second": "answered",
    }


async def test_resumes_that_bring_nothing_wait_longer_and_say_what_to_change(
    connect: Connect,
) -> None:
    asked = {"prompt": "Six × 7?", "models": ["slow"], "arbiter": "judge", "wait_seconds": 0}
    waits, warned = [], []
    async with connect() as client:
        run_id = data_of(await client.call_tool("consult_consortium", asked))["run_id"]
    for _ in range(4):
        async with connect() as client:
            report = data_of(await client.call_tool("get_run", {"run_id": run_id}))
            assert report["status"] == "interrupted"
            tool, arguments = step(report["next_step"])
            waits.append(arguments["wait_seconds"])
            warned.append(any("resumes in a row" in each for each in report["warnings"]))
            await client.call_tool(tool, arguments | {"wait_seconds": 0})
    assert waits == [120, 240, 480, 960]
    assert warned == [False, False, True, True]


async def test_max_calls_holds_over_all_processes(connect: Connect) -> None:
    asked = {"prompt": "Six × 7?", "models": ["slow"], "arbiter": "judge", "max_calls": 3}
    async with connect() as client:
        begun = await client.call_tool("consult_consortium", asked | {"wait_seconds": 0})
    run_id = data_of(begun)["run_id"]
    for _ in range(4):
        async with connect() as client:
            await client.call_tool("resume_run", {"run_id": run_id, "wait_seconds": 0})
    async with connect() as client:
        found = await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 60})
    report = found.structured_content or {}
    assert report["stop_reason"] == "budget"
    assert report["usage"]["calls"] == 3
