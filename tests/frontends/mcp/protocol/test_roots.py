"""Whose folders are open to a call: the user's own, or else those that the client has open."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp_types import ErrorData, ListRootsResult, Root

from consortium_mcp.frontends.mcp.server import make_server
from tests.support.client import data_of, text_of
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mcp_types import CallToolResult

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio
ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "my project"
    folder.mkdir()
    (folder / "notes.md").write_text("The pump stops.")
    return folder


class Told:
    """A client's roots, and how often it was asked for them."""

    def __init__(self, *uris: str) -> None:
        self.uris = uris
        self.asked = 0

    async def __call__(self, context: object) -> Any:  # noqa: ANN401, ARG002
        self.asked += 1
        if not self.uris:
            return ErrorData(code=-32603, message="no folder is open")
        return ListRootsResult(roots=[Root(uri=uri) for uri in self.uris])  # type: ignore[arg-type]


@asynccontextmanager
async def client_of(settings: Settings, roots: Told, era: str) -> AsyncIterator[Client]:
    with plugin("fake", models(FakeAsync("yes", reply("42", 0.9)))):
        async with Client(make_server(settings), mode=era, list_roots_callback=roots) as client:
            yield client


async def ask(client: Client, *attachments: object) -> CallToolResult:
    panel = {"models": ["yes"], "strategy": "vote", "prompt": "?", "dry_run": True}
    return await client.call_tool("consult_consortium", panel | {"attachments": [*attachments]})


@ERAS
async def test_the_clients_folders_are_open(settings: Settings, project: Path, era: str) -> None:
    told = Told("file://elsewhere/share", project.as_uri())
    async with client_of(settings, told, era) as client:
        for path in ("notes.md", str(project / "notes.md")):
            [found] = data_of(await ask(client, path))["attachments"]
            assert (found["name"], found["bytes"]) == ("notes.md", 15)


@ERAS
async def test_nobody_is_asked_for_folders_where_no_file_is_named(
    settings: Settings, era: str
) -> None:
    told = Told("file:///")
    async with client_of(settings, told, era) as client:
        result = await ask(client, {"text": "The pump stops."}, "data:text/plain,a")
        assert not result.is_error, text_of(result)
        assert told.asked == 0


async def test_folders_that_the_user_named_are_those_that_count(
    settings: Settings, project: Path, tmp_path: Path
) -> None:
    named = tmp_path / "named"
    named.mkdir()
    told = Told(project.as_uri())
    async with client_of(replace(settings, files=(named,)), told, "legacy") as client:
        assert "There is no notes.md" in text_of(await ask(client, "notes.md"))
        assert told.asked == 0


@pytest.mark.parametrize("uris", [(), ("file:///",), ("file://elsewhere/share",)])
async def test_without_a_folder_the_remedy_is_named(
    settings: Settings, project: Path, uris: tuple[str, ...]
) -> None:
    async with client_of(settings, Told(*uris), "legacy") as client:
        result = await ask(client, str(project / "notes.md"))
        assert result.is_error
        assert "CONSORTIUM_FILES" in text_of(result)


async def test_llms_folder_and_the_database_stay_closed(settings: Settings, tmp_path: Path) -> None:
    settings = replace(settings, files=(tmp_path,), database=tmp_path / "runs.db")
    settings.user_dir.mkdir()
    closed = ["runs.db", "runs.db-wal", "runs.damaged-20260101.db", "llm/aliases.json"]
    for name in closed:
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text("{}")
    async with client_of(settings, Told(), "legacy") as client:
        for name in closed:
            assert "stay closed" in text_of(await ask(client, name)), name
