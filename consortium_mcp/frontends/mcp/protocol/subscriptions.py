"""Tell clients which resources have changed, on both eras of the protocol.

The 2026 wire has `subscriptions/listen`, which the SDK serves from a bus. On older wires a client
subscribes to single resources and hears of changes to the list unasked; for these the SDK leaves
the bookkeeping to the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp_types import (
    EmptyResult,
    NotificationParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.mcpserver import MCPServer
    from mcp.server.session import ServerSession

    Ctx = ServerRequestContext[Any, Any]

_SESSIONS = 100
"""Sessions remembered; over HTTP they come and go unannounced."""


@dataclass
class _Client:
    """A client on an older wire."""

    session: ServerSession
    subscribed: set[str] = field(default_factory=set)


class ChangeNotifier:
    """Who wants to hear of changes."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self._clients: dict[str | None, _Client] = {}

    async def announce(self, *uris: str) -> None:
        """These resources have changed, and with them the list."""
        for uri in uris:
            await self.bus.publish(ResourceUpdated(uri=uri))
        await self.bus.publish(ResourcesListChanged())
        for client in list(self._clients.values()):
            for uri in client.subscribed.intersection(uris):
                await client.session.send_resource_updated(uri)
            await client.session.send_resource_list_changed()

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register what older wires need; the bus is given to the server's constructor."""
        low = server._lowlevel_server  # noqa: SLF001 (MCPServer serves the 2026 wire's way only)
        low.add_notification_handler(
            "notifications/initialized", NotificationParams, self._on_initialized
        )
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._on_subscribe)
        low.add_request_handler(
            "resources/unsubscribe", UnsubscribeRequestParams, self._on_unsubscribe
        )
        server.middleware.append(_declare)

    async def _on_initialized(self, ctx: Ctx, params: NotificationParams) -> None:
        del params
        self._clients[_session_id(ctx)] = _Client(ctx.session)
        for oldest in list(self._clients)[:-_SESSIONS]:
            del self._clients[oldest]

    async def _on_subscribe(self, ctx: Ctx, params: SubscribeRequestParams) -> EmptyResult:
        if client := self._clients.get(_session_id(ctx)):
            client.subscribed.add(str(params.uri))
        return EmptyResult()

    async def _on_unsubscribe(self, ctx: Ctx, params: UnsubscribeRequestParams) -> EmptyResult:
        if client := self._clients.get(_session_id(ctx)):
            client.subscribed.discard(str(params.uri))
        return EmptyResult()


def _session_id(ctx: Ctx) -> str | None:
    headers = getattr(ctx.request, "headers", None)  # stdio has none, and one session
    return headers.get("mcp-session-id") if headers is not None else None


async def _declare(ctx: Ctx, call_next: CallNext) -> HandlerResult:
    """Say at `initialize` that the list's changes are announced: the SDK does not know it."""
    result = await call_next(ctx)
    if ctx.method == "initialize" and isinstance(result, dict):
        result["capabilities"]["resources"]["listChanged"] = True
    return result
