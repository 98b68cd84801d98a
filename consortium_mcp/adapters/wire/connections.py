"""The connections of one call: closed when it ends, broken when it is given up.

llm makes a client for each call and leaves it to the garbage collector, which closes the sockets
first and has the client unregister their numbers from the loop a moment later: by then they may be
those of another call, which then waits for ever. On a busy machine that was seen in one of some
thousand calls.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any


class Connections:
    """What one call has opened through httpx or httpx2."""

    def __init__(self) -> None:
        self._transports: list[Any] = []
        """Async transports that this call was the first to use, and the only one so far."""
        self._streams: list[Any] = []
        """Network streams of sync transports."""
        self._broken = False

    def add_transport(self, transport: Any) -> None:  # noqa: ANN401 (httpx's or httpx2's)
        """Note an async transport. One that a plugin keeps for all its calls is no call's own."""
        first = vars(transport).setdefault("consortium_call", self)
        if first is self:
            if transport not in self._transports:
                self._transports.append(transport)
        elif transport in first._transports:  # noqa: SLF001 (of the same class)
            first._transports.remove(transport)  # noqa: SLF001

    def watch(self, request: Any) -> None:  # noqa: ANN401
        """Note the connections that a sync request makes, as httpcore tells of them."""
        if self._broken:
            raise RuntimeError("the call has been given up")
        inner = request.extensions.get("trace")

        def trace(name: str, info: dict[str, Any]) -> None:
            if hasattr(info.get("return_value"), "get_extra_info"):
                self._add(info["return_value"])
            if inner is not None:
                inner(name, info)

        request.extensions = {**request.extensions, "trace": trace}

    def add_response(self, response: Any) -> None:  # noqa: ANN401
        """Note the connection that a sync response came over, which may be an older one."""
        if (stream := response.extensions.get("network_stream")) is not None:
            self._add(stream)

    def _add(self, stream: Any) -> None:  # noqa: ANN401
        self._streams.append(stream)
        if self._broken:  # it came too late
            self.break_off()

    async def close(self) -> None:
        """Close those of async transports; on the loop that the call ran on."""
        while self._transports:
            with suppress(OSError, RuntimeError):  # the answer is there: nothing to be done
                await self._transports.pop().aclose()

    def break_off(self) -> None:
        """Break those of sync transports, from any thread, and allow no more.

        Whoever waits for one is woken.
        """
        self._broken = True
        for stream in self._streams:
            with suppress(OSError, ValueError):  # it has ended by itself
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
