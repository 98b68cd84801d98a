"""The real server as a child, for a host in a browser: several calls may be under way at once."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from queue import Queue
from typing import TYPE_CHECKING, Any, Self

from tests.support.programs import program
from tests.support.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

MIME = "text/html;profile=mcp-app"
UI = "io.modelcontextprotocol/ui"
MODERN = "2026-07-28"


class ServerGone(Exception):
    """The server's process has ended."""


class Relay:
    """A client that renders pages, and hands calls on to the server.

    Args:
        environment: the server's.
        era: the protocol version it speaks; with 2026-07-28 each request says who asks.
        more: the client's other capabilities.
    """

    def __init__(
        self, environment: dict[str, str], era: str = "2025-11-25", **more: dict[str, Any]
    ) -> None:
        self.wire = Wire(environment, program("tests.support.fake_server"))
        self.asked: Queue[dict[str, Any]] = Queue()
        """What the server asks its client."""
        self._era = era
        self._more = more
        self._waiting: dict[Any, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self.wire.__enter__()
        self._reader.start()
        if self._era != MODERN:
            self.ask("initialize", {"protocolVersion": self._era, **self._client()}).result(60)
            self.wire.notify("notifications/initialized", {})
        return self

    def __exit__(self, *error: object) -> None:
        self.wire.__exit__(*error)
        self._reader.join(60)

    def _client(self) -> dict[str, Any]:
        return {
            "capabilities": {"extensions": {UI: {"mimeTypes": [MIME]}}, **self._more},
            "clientInfo": {"name": "test host", "version": "1"},
        }

    def ask(self, method: str, params: dict[str, Any]) -> Future[dict[str, Any]]:
        """Send a request; the answer's `result`, or an exception with its `error`."""
        if self._era == MODERN:
            meta = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": self._client()["clientInfo"],
                "io.modelcontextprotocol/clientCapabilities": self._client()["capabilities"],
            }
            params = params | {"_meta": meta}
        with self._lock:
            answer: Future[dict[str, Any]] = Future()
            try:
                self.last_id = self.wire.send(method, params)
            except OSError as error:
                raise ServerGone from error
            self._waiting[self.last_id] = answer
        return answer

    def call(self, name: str, arguments: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Call a tool; `last_id` is the request's id."""
        return self.ask("tools/call", {"name": name, "arguments": dict(arguments)})

    def answer(self, asked: Mapping[str, Any], result: dict[str, Any]) -> None:
        """Answer what the server has asked."""
        self.wire.reply(asked["id"], result)

    def _read(self) -> None:
        for line in self.wire.stdout:
            message = json.loads(line)
            if "method" in message:
                if "id" in message:
                    self.asked.put(message)
                continue
            answer = self._waiting.pop(message.get("id"), None)
            if answer is None:
                continue
            if "error" in message:
                answer.set_exception(RuntimeError(message["error"]["message"]))
            else:
                answer.set_result(message["result"])
        for answer in list(self._waiting.values()):
            answer.set_exception(ServerGone())
