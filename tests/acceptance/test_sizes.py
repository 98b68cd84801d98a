"""The largest result of each tool: it fits into a conversation, whatever the run was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client

from consortium_mcp.frontends.mcp.server import make_server
from tests.support.client import data_of, text_of
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp_types import CallToolResult

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio
MOST_BYTES = 60_000
PROMPT = "Which of these lines is wrong?\n" + "x = 1\n" * 170_000
ANSWER = reply("42", 0.9, text="Because " + "of this and that, " * 28_000)
JUDGE = verdict(synthesis="It is 42, " * 50_000, dissent="\n".join(["A: no, " * 400] * 30),
                refinements="\n".join(["Look again, " * 80] * 30), support="A",
                groups="A", ranking="")  # fmt: skip


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    crowd = [FakeAsync(f"crowd/with-a-rather-long-name-{n:03}", "x") for n in range(365)]
    fakes = (FakeAsync("big", ANSWER, finish_reason="length"), FakeAsync("judge", JUDGE), *crowd)
    with plugin("crowd", models(*fakes)):
        async with Client(make_server(settings)) as found:
            yield found


def size(result: CallToolResult) -> int:
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


async def test_each_result_fits_and_says_what_was_left_out(client: Client) -> None:
    asked = {"prompt": PROMPT, "models": ["big:32"], "arbiter": "judge", "strategy": "synthesis",
             "max_iterations": 2, "wait_seconds": 100}  # fmt: skip
    consulted = await client.call_tool("consult_consortium", asked)
    report = consulted.structured_content or {}
    run_id = report["run_id"]
    assert len(report["members"]) == 32
    assert 'include=["prompt"]' in report["prompt"]
    assert any("were cut" in warning for warning in report["warnings"])
    assert size(consulted) < MOST_BYTES
    sections = ("prompt", "synthesis", "responses", "iterations", "exchanges")
    calls: list[tuple[str, dict[str, Any]]] = [
        *(("get_run", {"run_id": run_id, "include": [section]}) for section in sections),
        ("get_run", {"run_id": run_id}), ("resume_run", {"run_id": run_id}),
        ("cancel_run", {"run_id": run_id}), ("list_models", {}), ("list_consortiums", {}),
        ("list_runs", {"limit": 100}),
    ]  # fmt: skip
    for tool, arguments in calls:
        result = await client.call_tool(tool, arguments)
        assert size(result) < MOST_BYTES, (tool, arguments, size(result))
        assert len(text_of(result)) <= 12_100


async def test_the_whole_prompt_is_there_in_pages(client: Client) -> None:
    asked = {"prompt": PROMPT[:20_000], "models": ["big"], "arbiter": "judge", "wait_seconds": 100}
    run_id = data_of(await client.call_tool("consult_consortium", asked))["run_id"]
    pages, offset = "", 0
    while offset is not None:
        page = {"run_id": run_id, "include": ["prompt"], "offset": offset}
        included = data_of(await client.call_tool("get_run", page))["included"]
        pages += "".join(entry["text"] for entry in included["entries"])
        offset = included["next_offset"]
    assert pages == PROMPT[:20_000].strip()


async def test_a_hundred_long_runs_fit_on_one_page(client: Client) -> None:
    asked = {"prompt": PROMPT[:3_000], "models": ["crowd/with-a-rather-long-name-000"]}
    for _ in range(100):
        await client.call_tool("consult_consortium", asked | {"wait_seconds": 100})
    listed = await client.call_tool("list_runs", {"limit": 100})
    assert len(data_of(listed)["runs"]) == 100
    assert size(listed) < MOST_BYTES


async def test_a_hundred_consortiums_of_32_fit(client: Client) -> None:
    for n in range(100):
        wanted = {"name": f"panel-{n}", "models": ["big:32"], "system": "Be careful. " * 50}
        await client.call_tool("save_consortium", wanted)
    listed = await client.call_tool("list_consortiums", {})
    assert size(listed) < MOST_BYTES
    assert listed.structured_content
    assert listed.structured_content["left_out"] > 0
