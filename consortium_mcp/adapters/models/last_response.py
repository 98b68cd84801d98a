"""Notes what a provider last said on the wire during a call: status, headers, the reason it gave.

Many plugins turn an error response into a bare message, or into nothing. All of them speak through
httpx or httpx2, so their transports are wrapped once: what came back is kept for the call that is
running, in a context variable. A library whose internals have changed loses only this.
"""

from __future__ import annotations

import functools
import json
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRANSPORTS = {"httpx": ("HTTPTransport", "AsyncHTTPTransport"),
               "httpx2": ("HTTPTransport", "AsyncHTTPTransport")}  # fmt: skip
_CLIENT_ERROR = 400


@dataclass
class LastResponse:
    """The last response of one call; empty before the first."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    """Of an error or of whole JSON; empty where the response is a stream."""

    @property
    def failed(self) -> bool:
        """Whether its status is one of an error."""
        return (self.status or 0) >= _CLIENT_ERROR

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object in the body; empty where there is none."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        if isinstance(content, list) and content:  # Gemini sends a list of one
            content = content[0]
        return content if isinstance(content, dict) else {}

    @property
    def error(self) -> dict[str, Any]:
        """The provider's error object, as nearly all of them send one; else empty."""
        content = self.content
        found = content.get("error")
        if isinstance(found, str):
            return {"message": found}
        if isinstance(found, dict):
            return found
        message = content.get("message") or content.get("detail")
        failed = self.failed and isinstance(message, str)
        return content | {"message": message} if failed else {}


_CURRENT: ContextVar[LastResponse | None] = ContextVar("consortium_last_response", default=None)


@contextmanager
def noting() -> Iterator[LastResponse]:
    """Note the responses of this context, and of the threads and tasks that copy it."""
    noted = LastResponse()
    token = _CURRENT.set(noted)
    try:
        yield noted
    finally:
        _CURRENT.reset(token)


def last_response() -> LastResponse:
    """What was noted in this context so far."""
    return _CURRENT.get() or LastResponse()


def watch_transports() -> None:
    """Wrap the transports of the libraries loaded so far; cheap to call again."""
    for module, (sync, asynchronous) in _TRANSPORTS.items():
        if module in sys.modules:
            _wrap_sync(getattr(sys.modules[module], sync, None))
            _wrap_async(getattr(sys.modules[module], asynchronous, None))


def _wrap_sync(transport: Any) -> None:  # noqa: ANN401 (a class, or None)
    original = getattr(transport, "handle_request", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:  # noqa: ANN401
        response = original(self, request)
        if (noted := _CURRENT.get()) is not None:
            _note(noted, response)
            if _is_whole(request, response):
                noted.body = response.read().decode("utf-8", "replace")
        return response

    transport.handle_request = handle_request


def _wrap_async(transport: Any) -> None:  # noqa: ANN401 (a class, or None)
    original = getattr(transport, "handle_async_request", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:  # noqa: ANN401
        response = await original(self, request)
        if (noted := _CURRENT.get()) is not None:
            _note(noted, response)
            if _is_whole(request, response):
                noted.body = (await response.aread()).decode("utf-8", "replace")
        return response

    transport.handle_async_request = handle_async_request


def _is_whole(request: Any, response: Any) -> bool:  # noqa: ANN401
    """Whether the body can be read at once: it is an error, or JSON that is no stream."""
    kind = response.headers.get("content-type", "")
    is_json = kind.startswith("application/json") and "stream" not in str(request.url).lower()
    return response.status_code >= _CLIENT_ERROR or is_json


def _note(noted: LastResponse, response: Any) -> None:  # noqa: ANN401
    noted.status = int(response.status_code)
    noted.headers = {name.lower(): value for name, value in response.headers.items()}
    noted.body = ""
