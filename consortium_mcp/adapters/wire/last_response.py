"""Notes what a provider last said on the wire during a call: status, headers, the reason it gave.

Many plugins turn an error response into a bare message, or into nothing. All of them speak through
httpx or httpx2, so their transports are wrapped once: what came back is kept for the call that is
running, in a context variable. A library whose internals have changed loses only this.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.wire.connections import Connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

_TRANSPORTS = {"httpx": ("HTTPTransport", "AsyncHTTPTransport"),
               "httpx2": ("HTTPTransport", "AsyncHTTPTransport")}  # fmt: skip
_CLIENT_ERROR = 400


@dataclass
class LastResponse:
    """The last response of one call; empty before the first."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    """Of an error or of whole JSON; of a stream of events, its last characters."""
    is_stream: bool = False
    read_to_end: bool = False
    """Whether the plugin has read a stream to its end."""
    connections: Connections = field(default_factory=Connections, compare=False)

    @property
    def failed(self) -> bool:
        """Whether its status is one of an error."""
        return (self.status or 0) >= _CLIENT_ERROR

    @property
    def events(self) -> list[dict[str, Any]]:
        """The last events of a stream, each as the JSON object that it is."""
        if self.body.lstrip().startswith("["):  # Gemini streams one list
            with suppress(ValueError, RecursionError):
                return [each for each in json.loads(self.body) if isinstance(each, dict)]
            return []
        found = []
        for line in self.body.splitlines()[-_LAST_LINES:]:
            with suppress(ValueError, RecursionError):
                event = json.loads(line.removeprefix("data:"))
                found += [event] if isinstance(event, dict) else []
        return found

    @property
    def broke_off(self) -> bool:
        """Whether it is a stream of events that ended without any sign of its end."""
        if not self.is_stream or not self.read_to_end or self.body.strip() == "[]":
            return False
        if not _HAS_EVENTS.search(self.body):
            return False
        return not _DONE.search(self.body) and not any(map(_is_last, self.events))

    @property
    def text(self) -> str:
        """The text in the deltas of a stream, as far as it came; Anthropic's and OpenAI's."""
        deltas = (each.get("delta") for each in self.events)
        texts = (each.get("text") if isinstance(each, dict) else each for each in deltas)
        return "".join(each for each in texts if isinstance(each, str))

    def count(self, *names: str) -> int | None:
        """The last number of tokens of one of these names, wherever the usage stands."""
        found = None
        for event in (*self.events, self.content):
            for holder in (event, event.get("message"), event.get("response")):
                usage = holder.get("usage") if isinstance(holder, dict) else None
                for name in names:
                    number = usage.get(name) if isinstance(usage, dict) else None
                    found = number if isinstance(number, int) else found
        return found

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
    _wrap_aws(getattr(sys.modules.get("botocore.eventstream"), "EventStream", None))


def _wrap_sync(transport: Any) -> None:  # noqa: ANN401 (a class, or None)
    original = getattr(transport, "handle_request", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:  # noqa: ANN401
        noted = _CURRENT.get()
        if noted is not None:
            noted.connections.watch(request)
        response = original(self, request)
        if noted is not None:
            noted.connections.add_response(response)
            _note(noted, request, response)
            if _is_whole(request, response):
                noted.body = response.read().decode("utf-8", "replace")
            elif noted.is_stream:
                response.stream = _sync_tail(response.stream, noted)
        return response

    transport.handle_request = handle_request


def _wrap_async(transport: Any) -> None:  # noqa: ANN401 (a class, or None)
    original = getattr(transport, "handle_async_request", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:  # noqa: ANN401
        noted = _CURRENT.get()
        if noted is not None:
            noted.connections.add_transport(self)
        response = await original(self, request)
        if noted is not None:
            _note(noted, request, response)
            if _is_whole(request, response):
                noted.body = (await response.aread()).decode("utf-8", "replace")
            elif noted.is_stream:
                response.stream = _async_tail(response.stream, noted)
        return response

    transport.handle_async_request = handle_async_request


def _wrap_aws(stream: Any) -> None:  # noqa: ANN401 (a class, or None)
    """AWS's models have a stream of their own. Errors need no noting: boto3 keeps them whole."""
    original = getattr(stream, "__iter__", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def events(self: Any) -> Iterator[Any]:  # noqa: ANN401
        noted = _CURRENT.get() or LastResponse()
        noted.status, noted.body, noted.is_stream, noted.read_to_end = 200, "", True, False
        for event in original(self):
            _keep_tail(noted, f"data: {json.dumps(event, default=str)}\n".encode())
            # llm-bedrock 0.4 takes every delta for a text: `event_content["delta"]["text"]`.
            if "reasoningContent" not in event.get("contentBlockDelta", {}).get("delta", {}):
                yield event
        noted.read_to_end = True

    stream.__iter__ = events


def _is_whole(request: Any, response: Any) -> bool:  # noqa: ANN401
    """Whether the body can be read at once: it is an error, or JSON that is no stream."""
    kind = response.headers.get("content-type", "")
    is_json = kind.startswith("application/json") and "stream" not in str(request.url).lower()
    return response.status_code >= _CLIENT_ERROR or is_json


def _note(noted: LastResponse, request: Any, response: Any) -> None:  # noqa: ANN401
    noted.status = int(response.status_code)
    noted.headers = {name.lower(): value for name, value in response.headers.items()}
    noted.body = ""
    kind = response.headers.get("content-type", "")
    is_plain = "content-encoding" not in response.headers
    noted.read_to_end = False
    streams = kind.startswith(_STREAMS) or not _is_whole(request, response)
    noted.is_stream = is_plain and streams and "html" not in kind


_STREAMS = ("text/event-stream", "application/x-ndjson", "application/stream+json")
_TAIL = 100_000
"""The characters that are kept at least of a stream's end: its last events, with the usage."""
_LAST_LINES = 2_000
_HAS_EVENTS = re.compile(r"^\s*(?:data:|\{|\[)", re.MULTILINE)
_DONE = re.compile(
    r"^data:\s*\[DONE\]|^event:\s*(?:done|end|complete|stop|message_stop)", re.MULTILINE
)
_LAST_TYPES = frozenset(
    {"message_stop", "message-end", "response.completed", "response.incomplete", "response.failed"}
)
_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason", "generated_text")


def _is_last(event: dict[str, Any]) -> bool:
    """Whether an event says that the reply is complete."""
    inner = [event, event.get("delta"), event.get("messageStop"), event.get("promptFeedback")]
    for name in ("choices", "candidates"):
        inner += event[name] if isinstance(event.get(name), list) else []
    return (
        event.get("type") in _LAST_TYPES
        or any(event.get(name) is True for name in ("done", "stop", "finished", "is_finished"))
        or any(
            isinstance(each, dict) and any(each.get(name) for name in (*_REASONS, "blockReason"))
            for each in inner
        )
    )


def _sync_tail(stream: Any, noted: LastResponse) -> Any:  # noqa: ANN401
    """The stream, whose last characters are noted as they pass."""

    class Tail(_base_of(stream, "SyncByteStream")):  # type: ignore[misc]  # httpx's or httpx2's
        def __iter__(self) -> Iterator[bytes]:
            for chunk in stream:
                _keep_tail(noted, chunk)
                yield chunk
            noted.read_to_end = True

        def close(self) -> None:
            stream.close()

    return Tail()


def _async_tail(stream: Any, noted: LastResponse) -> Any:  # noqa: ANN401
    """As `_sync_tail`."""

    class Tail(_base_of(stream, "AsyncByteStream")):  # type: ignore[misc]  # httpx's or httpx2's
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in stream:
                _keep_tail(noted, chunk)
                yield chunk
            noted.read_to_end = True

        async def aclose(self) -> None:
            await stream.aclose()

    return Tail()


def _base_of(stream: Any, name: str) -> Any:  # noqa: ANN401
    """The class of the stream's own library that its clients ask for."""
    return next(base for base in type(stream).__mro__ if base.__name__ == name)


def _keep_tail(noted: LastResponse, chunk: bytes) -> None:
    noted.body += chunk.decode("utf-8", "replace")
    if len(noted.body) > 2 * _TAIL:  # not at each chunk, as it copies the whole
        noted.body = noted.body[-_TAIL:]
