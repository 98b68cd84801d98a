"""The tools as a client is told of them, so that none changes unseen.

`UPDATE_SNAPSHOTS=1 uv run pytest tests/acceptance/test_tools.py` writes the snapshot anew.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from mcp import Client

from consortium_mcp.frontends.server import make_server
from tests.conftest import ROOT

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio

SNAPSHOT = ROOT / "tests" / "snapshots" / "tools.json"


async def test_the_tools_are_those_of_the_snapshot(settings: Settings) -> None:
    async with Client(make_server(settings)) as client:
        tools = (await client.list_tools()).tools
    found = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == found


async def test_a_misspelt_argument_is_an_error_that_names_the_right_one(
    settings: Settings,
) -> None:
    async with Client(make_server(settings)) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "?", "model": ["x"]})
    assert result.is_error
    assert "has no 'model'. Did you mean models" in getattr(result.content[0], "text", "")
