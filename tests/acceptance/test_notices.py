"""Clients hear of finished runs and saved consortiums, each in the way of its era."""

from __future__ import annotations

import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated

from tests.support.client import PANEL, Connect, data_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp import Client

pytestmark = pytest.mark.anyio

MINE = "consortium://consortiums/mine"
SLOWLY = {"prompt": "?", "models": ["sure", "late"], "arbiter": "judge", "wait_seconds": 0}


class Heard:
    """What a client was told of, in order."""

    def __init__(self) -> None:
        self.list_changes = 0
        self.updated: list[str] = []
        self._more = anyio.Event()

    def hear(self, event: Any) -> None:  # noqa: ANN401 (an event, or an older wire's notification)
        name = type(event).__name__
        if isinstance(event, ResourcesListChanged) or name == "ResourceListChangedNotification":
            self.list_changes += 1
        elif isinstance(event, ResourceUpdated):
            self.updated.append(event.uri)
        elif name == "ResourceUpdatedNotification":
            self.updated.append(str(event.params.uri))
        self._more.set()
        self._more = anyio.Event()

    async def until_the_list_changed(self) -> None:
        with anyio.fail_after(60):
            while not self.list_changes:
                await self._more.wait()

    async def until(self, uri: str) -> None:
        """Wait until this resource was updated, and the list changed."""
        with anyio.fail_after(60):
            while uri not in self.updated:
                await self._more.wait()
        await self.until_the_list_changed()


@asynccontextmanager
async def listening_legacy(connect: Connect) -> AsyncIterator[tuple[Client, Heard]]:
    heard = Heard()

    async def hear(message: Any) -> None:  # noqa: ANN401
        heard.hear(message)

    async with connect("legacy", options={"message_handler": hear}) as client:
        resources = client.server_capabilities.resources
        assert resources is not None
        assert (resources.subscribe, resources.list_changed) == (True, True)
        yield client, heard


async def test_older_clients_hear_of_what_they_subscribed_to(connect: Connect) -> None:
    async with listening_legacy(connect) as (client, heard):
        await client.call_tool("save_consortium", {"name": "mine"} | PANEL)
        await heard.until_the_list_changed()
        assert heard.updated == []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK deprecates what this wire needs
            await client.subscribe_resource(MINE)
            await client.call_tool("save_consortium", {"name": "mine"} | PANEL)
            await heard.until(MINE)
            run = data_of(await client.call_tool("consult_consortium", SLOWLY))
            await client.subscribe_resource(run["resource"])
            await heard.until(run["resource"])
            await client.unsubscribe_resource(MINE)
        await client.call_tool("delete_consortium", {"name": "mine"})
        await client.call_tool("list_consortiums", {})
        assert heard.updated == [MINE, run["resource"]]


async def test_clients_of_the_2026_wire_hear_of_what_they_listen_for(connect: Connect) -> None:
    heard = Heard()

    async def listen(client: Client, uri: str, ready: anyio.Event) -> None:
        async with client.listen(
            resources_list_changed=True, resource_subscriptions=[uri]
        ) as events:
            ready.set()
            async for event in events:
                heard.hear(event)

    async with connect("auto") as client, anyio.create_task_group() as group:
        ready = anyio.Event()
        group.start_soon(listen, client, MINE, ready)
        await ready.wait()
        await client.call_tool("save_consortium", {"name": "mine"} | PANEL)
        await heard.until(MINE)
        run = data_of(await client.call_tool("consult_consortium", SLOWLY))
        ready = anyio.Event()
        group.start_soon(listen, client, f"{run['resource']}/report", ready)
        await ready.wait()
        await heard.until(f"{run['resource']}/report")
        assert run["resource"] not in heard.updated
        group.cancel_scope.cancel()
