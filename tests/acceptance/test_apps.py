"""The page of a run as clients get it that render pages (MCP Apps), and as others do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp.client.extension import advertise

from consortium_mcp.frontends.mcp.apps import DATA, RUN_PAGE, SHOWN_BY
from tests.acceptance.conftest import ERAS
from tests.support.programs import program
from tests.support.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from mcp import Client
    from mcp_types import CallToolResult

    Connect = Callable[..., AbstractAsyncContextManager[Client]]

pytestmark = pytest.mark.anyio

MIME = "text/html;profile=mcp-app"
UI = "io.modelcontextprotocol/ui"
RENDERS = {"extensions": [advertise(UI, {"mimeTypes": [MIME]})]}
PANEL = {"models": ["sure", "agrees"], "arbiter": "judge", "strategy": "vote"}


def page_of(result: CallToolResult) -> dict[str, Any]:
    assert result.meta is not None
    found: dict[str, Any] = result.meta[DATA]
    return found


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_renders_pages_is_told_of_it(connect: Connect, era: str) -> None:
    async with connect(era, RENDERS) as client:
        tools = (await client.list_tools()).tools
        shown = {tool.name: tool.meta["ui"] for tool in tools if tool.meta and "ui" in tool.meta}
        assert shown == {name: {"resourceUri": RUN_PAGE} for name in SHOWN_BY}
        listed = {str(each.uri): each for each in (await client.list_resources()).resources}
        assert listed[RUN_PAGE].mime_type == MIME
        [content] = (await client.read_resource(RUN_PAGE)).contents
        assert content.mime_type == MIME
        assert "<script" in getattr(content, "text", "")


@pytest.mark.parametrize("era", ERAS)
async def test_other_clients_see_nothing_of_it(connect: Connect, era: str) -> None:
    seen = []
    for options in ({}, RENDERS):
        async with connect(era, options) as client:
            result = await client.call_tool("consult_consortium", {"prompt": "6x7?"} | PANEL)
            lists = [
                (await client.list_tools()).model_dump(exclude={"meta"}, exclude_none=True),
                (await client.list_resources()).model_dump(exclude={"meta"}, exclude_none=True),
            ]
            seen.append((json.dumps(lists, default=str), result))
    (plain, without), (rendering, within) = seen
    assert RUN_PAGE not in plain
    assert DATA not in (without.meta or {})
    assert RUN_PAGE in rendering
    texts = [getattr(each.content[0], "text", "").splitlines()[0] for each in (without, within)]
    assert texts[0] == texts[1]


async def test_the_lists_of_others_are_longer_by_the_page_alone(connect: Connect) -> None:
    lengths = []
    for options in ({}, RENDERS):
        async with connect("auto", options) as client:
            tools = (await client.list_tools()).tools
            sent = [tool.model_dump_json(by_alias=True, exclude_none=True) for tool in tools]
            lengths.append(len("".join(sent).encode()))
    # `,"_meta":{"ui":{"resourceUri":"…"}}` is what the specification asks for, 34 bytes and the
    # address, which is 28 and a contract. So no tool can have its page for less than 62: hosts look
    # in that tool's own `_meta`. (`_meta["ui/resourceUri"]` is 58, but deprecated, and the SDK's
    # own helpers do not write it.) Two tools begin runs, and both need it.
    assert lengths[1] - lengths[0] == 62 * len(SHOWN_BY)


async def test_the_result_brings_the_pages_data(connect: Connect) -> None:
    async with connect("auto", RENDERS) as client:
        call = {"prompt": "6x7?"} | PANEL
        result = await client.call_tool("consult_consortium", call)
        run = page_of(result)["run"]
        assert (run["status"], run["prompt"], run["final_answer"]) == ("completed", "6x7?", "42")
        assert [member["model"] for member in run["members"]] == ["sure", "agrees"]
        plan = page_of(await client.call_tool("consult_consortium", call | {"dry_run": True}))
        assert plan["run"]["status"] == "planned"
        assert "run_id" not in plan["run"]


async def test_a_text_that_is_opened_is_read_then(connect: Connect) -> None:
    async with connect("auto", RENDERS) as client:
        prompt = "Six times seven? " * 200
        result = await client.call_tool("consult_consortium", {"prompt": prompt} | PANEL)
        run = page_of(result)["run"]
        assert run["prompt"]["characters"] == len(prompt)
        call = {"run_id": run["run_id"], "page": {"text": run["prompt"]["key"]}}
        assert page_of(await client.call_tool("get_run", call))["text"] == prompt


async def test_what_the_page_asks_is_nobody_elses(connect: Connect) -> None:
    async with connect("auto") as client:
        result = await client.call_tool("get_run", {"run_id": "latest", "page": {"text": "x"}})
        assert result.is_error
        assert "page" in getattr(result.content[0], "text", "")


def call(wire: Wire, name: str, **arguments: Any) -> int:  # noqa: ANN401
    return wire.send("tools/call", {"name": name, "arguments": arguments})


def rendering(wire: Wire) -> None:
    """Connect as a client that renders pages."""
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"extensions": {UI: {"mimeTypes": [MIME]}}},
        "clientInfo": {"name": "raw", "version": "1"},
    }
    wire.answer(wire.send("initialize", params))
    wire.notify("notifications/initialized", {})


def test_the_page_finds_the_run_of_its_call_among_equal_ones(
    child_environment: dict[str, str],
) -> None:
    with Wire(child_environment, program("tests.support.fake_server")) as wire:
        rendering(wire)
        panel = {"models": ["held", "sure"], "arbiter": "judge", "strategy": "vote"}
        prompts = ("6x7?", "6x7?", "6x7? ")
        calls = [
            call(wire, "consult_consortium", prompt=text, wait_seconds=50, **panel | {"system": s})
            for text, s in zip(prompts, ("one", "two", "three"), strict=True)
        ]
        found = []
        for each in calls:
            while True:  # until the call has begun its run
                answer = wire.answer(call(wire, "get_run", run_id="", page={"call": each}))
                if "result" in answer:
                    break
            data = answer["result"]["_meta"][DATA]
            found.append(data["run"]["run_id"])
            assert data["run"]["status"] == "working"
        assert len({*found}) == 3
        assert "error" in wire.answer(call(wire, "get_run", run_id="", page={"call": 9999}))
        cursor = data["cursor"]
        # It waits for a change, and there is one as soon as the other member has answered.
        while data["run"]["answered"] < 1:
            after = {"after": cursor}
            answer = wire.answer(
                call(wire, "get_run", run_id=found[2], wait_seconds=30, page=after)
            )
            data = answer["result"]["_meta"][DATA]
            assert data["cursor"] != cursor
            cursor = data["cursor"]
        waits = call(wire, "get_run", run_id=found[2], wait_seconds=600, page={"after": cursor})
        Path(child_environment["LLM_USER_PATH"], "release").touch()
        data = wire.answer(waits)["result"]["_meta"][DATA]
        assert data["cursor"] != cursor
