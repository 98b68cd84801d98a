"""Notify clients of changed resources, in both eras of the protocol.

The 2026 protocol has `subscriptions/listen`, which the SDK serves from a bus. In older versions a
client subscribes to single resources and is always notified of changes to the list; there the SDK
leaves the bookkeeping to the server.
"""

from __future__ import annotations

from collections import defaultdict
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

from consortium_mcp.core.domain.principal import LOCAL
from consortium_mcp.services.users.callers import caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.mcpserver import MCPServer
    from mcp.server.session import ServerSession
    from mcp.server.subscriptions import ServerEvent

    from consortium_mcp.core.domain.principal import Principal

    Ctx = ServerRequestContext[Any, Any]

_SESSIONS = 100
"""Sessions remembered; over HTTP they end without notice."""


@dataclass
class _Client:
    """A client with an older protocol version."""

    session: ServerSession
    principal: Principal
    subscribed: set[str] = field(default_factory=set)


class OwnEvents:
    """A bus of the SDK's that tells each user of their own events only."""

    def __init__(self) -> None:
        self._buses: defaultdict[Principal, InMemorySubscriptionBus] = defaultdict(
            InMemorySubscriptionBus
        )
        self._listening: dict[object, Principal] = {}

    async def publish(self, event: ServerEvent, whose: Principal | None = None) -> None:
        """Tell the listeners of this user, by default of the one who asks."""
        await self._buses[whose or caller() or LOCAL].publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Tell the listener of the events of the one who asks, until what is returned is called."""
        who, token = caller() or LOCAL, object()
        end = self._buses[who].subscribe(listener)
        self._listening[token] = who

        def unsubscribe() -> None:
            self._listening.pop(token, None)
            end()

        return unsubscribe

    def listening(self) -> set[Principal]:
        """Who listens now."""
        return set(self._listening.values())


class ChangeNotifier:
    """Notifies subscribed clients of changed resources."""

    def __init__(self) -> None:
        self.bus = OwnEvents()
        self._clients: dict[str | None, _Client] = {}

    async def announce(self, whose: Principal, *uris: str) -> None:
        """Notify a user's clients that these resources, and the resource list, have changed."""
        for uri in uris:
            await self.bus.publish(ResourceUpdated(uri=uri), whose)
        await self.bus.publish(ResourcesListChanged(), whose)
        for client in list(self._clients.values()):
            if client.principal != whose:
                continue
            for uri in client.subscribed.intersection(uris):
                await client.session.send_resource_updated(uri)
            await client.session.send_resource_list_changed()

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register the handlers for older versions; the server's constructor takes the bus."""
        low = server._lowlevel_server  # noqa: SLF001 (MCPServer serves the 2026 protocol only)
        low.add_notification_handler(
            "notifications/initialized", NotificationParams, self._on_initialized
        )
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._on_subscribe)
        low.add_request_handler(
            "resources/unsubscribe", UnsubscribeRequestParams, self._on_unsubscribe
        )
        server.middleware.append(_declare_list_changed)

    async def _on_initialized(self, ctx: Ctx, params: NotificationParams) -> None:
        del params
        if ctx.request is not None and _session_id(ctx) is None:
            return  # nothing reaches a client without a session when its request has ended
        self._clients[_session_id(ctx)] = _Client(ctx.session, caller() or LOCAL)
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
    headers = getattr(ctx.request, "headers", None)  # stdio has no headers and only one session
    return headers.get("mcp-session-id") if headers is not None else None


async def _declare_list_changed(ctx: Ctx, call_next: CallNext) -> HandlerResult:
    """Declare `listChanged` in the `initialize` result, which the SDK does not do."""
    result = await call_next(ctx)
    if ctx.method == "initialize" and isinstance(result, dict):
        result["capabilities"]["resources"]["listChanged"] = True
    return result
