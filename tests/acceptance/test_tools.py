"""The tools as a client is told of them: short, and changed by nobody unseen.

`UPDATE_SNAPSHOTS=1 uv run pytest tests/acceptance/test_tools.py` writes the snapshot anew.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import jsonschema
import pytest
from mcp import Client

from consortium_mcp.frontends.mcp.server import INSTRUCTIONS, make_server
from tests.conftest import ROOT
from tests.support.client import PANEL, Connect, data_of, text_of
from tests.support.fake_models import FakeAsync, models, plugin

if TYPE_CHECKING:
    from mcp_types import Tool

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio

SNAPSHOT = ROOT / "tests" / "snapshots" / "tools.json"
MOST_BYTES = 13_350  # and 124 for the page of a run: tests/acceptance/test_apps.py says why
LONGEST_DESCRIPTION = 2_048


async def tools_of(settings: Settings) -> list[Tool]:
    async with Client(make_server(settings)) as client:
        return (await client.list_tools()).tools


async def test_the_tools_are_those_of_the_snapshot(settings: Settings) -> None:
    tools = await tools_of(settings)
    found = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == found


async def test_the_list_is_short_as_it_is_sent(connect: Connect) -> None:
    async with connect() as client:
        listed = await client.list_tools()
        assert client.instructions == INSTRUCTIONS
    sent = json.dumps(
        listed.model_dump(mode="json", by_alias=True, exclude_none=True),
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert len(sent.encode()) <= MOST_BYTES
    assert len(listed.tools) == 10
    assert len(INSTRUCTIONS) < 1_000


async def test_every_tool_is_described_and_annotated(settings: Settings) -> None:
    hints = {}
    for tool in await tools_of(settings):
        assert tool.title
        assert tool.description
        assert len(tool.description) < LONGEST_DESCRIPTION
        assert tool.output_schema is not None
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        said = tool.annotations
        assert said is not None
        hints[tool.name] = (
            said.read_only_hint,
            said.destructive_hint,
            said.idempotent_hint,
            said.open_world_hint,
        )
    reads = (True, False, True, False)
    assert hints == {
        "consult_consortium": (False, False, False, True),
        "resume_run": (False, False, True, True),
        "cancel_run": (False, True, True, False),
        "save_consortium": (False, True, True, False),
        "delete_consortium": (False, True, True, False),
        "rate_run": (None, False, None, False),
        "list_runs": reads,
        "get_run": reads,
        "list_consortiums": reads,
        "list_models": reads,
    }


async def test_what_comes_back_is_what_the_schemas_say(connect: Connect) -> None:
    async with connect() as client:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}

        async def call(tool: str, **arguments: object) -> dict[str, object]:
            data = data_of(await client.call_tool(tool, dict(arguments)))
            jsonschema.validate(data, schemas[tool] or {})
            return data

        report = await call("consult_consortium", prompt="Six × 7?", **PANEL)
        run_id = report["run_id"]
        await call("consult_consortium", prompt="Six × 7?", dry_run=True, **PANEL)
        await call("get_run", run_id=run_id, include=["responses", "exchanges"])
        await call("resume_run", run_id=run_id)
        await call("cancel_run", run_id=run_id)
        rated = await call("rate_run", run_id=run_id, answer="42", note="by the tables")
        assert '"answer": "42", "note": "by the tables", "by": "mcp"' in json.dumps(rated)
        await call("list_runs")
        await call("save_consortium", name="mine", **PANEL)
        await call("save_consortium", name="twin", clone="mine")
        await call("list_consortiums")
        await call("list_models")
        await call("delete_consortium", name="mine")


async def test_long_results_are_read_page_by_page(connect: Connect) -> None:
    prompt = "Six × 7? " + "Mind this. " * 1_500
    async with connect() as client:
        asked = {"prompt": prompt} | PANEL
        run_id = data_of(await client.call_tool("consult_consortium", asked))["run_id"]
        offset: int | None = 0
        read = ""
        pages = 0
        while offset is not None:
            wanted = {"run_id": run_id, "include": ["exchanges"], "offset": offset}
            result = await client.call_tool("get_run", wanted)
            assert len(text_of(result)) < 8_000
            assert ("**Confidence" in text_of(result)) == (offset == 0)
            found = data_of(result)["included"]
            read += "".join(entry["text"] for entry in found["entries"])
            offset = found["next_offset"]
            pages += 1
            if offset is not None:
                assert f"offset={offset})" in text_of(result)
        assert pages > 5
        assert read.count(prompt.strip()) == 3
        wrong = await client.call_tool(
            "get_run", {"run_id": run_id, "include": ["exchanges"], "offset": -1}
        )
        assert wrong.is_error
        wrong = await client.call_tool("get_run", {"run_id": run_id, "offset": 5})
        assert wrong.is_error
        assert "needs include" in text_of(wrong)


async def test_of_hundreds_of_models_the_ready_ones_come_first_and_the_rest_is_counted(
    settings: Settings,
) -> None:
    crowd = [FakeAsync(f"crowd-{n}", "x", consortium_missing=lambda: "a key") for n in range(300)]
    ready = FakeAsync("zz-ready", "x")
    with plugin("crowd", models(*crowd, ready)):
        async with Client(make_server(settings)) as client:
            result = await client.call_tool("list_models", {})
            found = data_of(result)
            assert found["models"][0]["id"] == "zz-ready"
            assert len(found["models"]) == 50
            assert f"… {found['more']} more" in text_of(result)
            few = data_of(await client.call_tool("list_models", {"query": "crowd-29"}))
    assert (len(few["models"]), few["more"]) == (11, 0)


async def test_a_misspelt_argument_is_an_error_that_names_the_right_one(
    settings: Settings,
) -> None:
    async with Client(make_server(settings)) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "?", "model": ["x"]})
    assert result.is_error
    assert "has no 'model': write models=" in getattr(result.content[0], "text", "")


async def test_the_list_of_models_says_who_is_asked_when_nobody_is_named(connect: Connect) -> None:
    async with connect() as client:
        nobody = text_of(await client.call_tool("list_models", {}))
        assert "Asked when you name nobody: none yet" in nobody
        panel = {"models": ["sure", "agrees"], "arbiter": "judge", "name": "default"}
        await client.call_tool("save_consortium", panel)
        named = text_of(await client.call_tool("list_models", {}))
    assert "Asked when you name nobody: sure, agrees; arbiter judge (it is saved as" in named
