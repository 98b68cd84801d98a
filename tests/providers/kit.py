"""The APIs of providers on loopback, as they really answer, for the real plugins of llm.

What the server does is named in the prompt, such as `case:limited`. Requests of httpx, httpx2,
requests and botocore to any host are sent here.
"""

from __future__ import annotations

import binascii
import json
import re
import struct
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = "It is 42."
THOUGHT = "Let me see: six times seven."
_REASONING = {"type": "reasoning", "id": "t",
              "summary": [{"type": "summary_text", "text": THOUGHT}]}  # fmt: skip
JUDGEMENT = {"x": "yes"}
"""What the model answers where it gets a schema."""
FAULTS = {"key": 401, "credit": 402, "missing": 404, "limited": 429, "broken": 500, "busy": 503,
          "html": 502, "schema": 400}  # fmt: skip
WAIT = 7


class Api(BaseHTTPRequestHandler):
    """Speaks OpenAI Chat and Responses, Anthropic Messages, Gemini, Ollama and Bedrock, by path."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    """Path and body of each request so far."""
    hung_up = threading.Event()
    """Set when a caller of the case `hang` has closed the connection."""

    def do_GET(self) -> None:
        """LM Studio is asked whether a model is loaded."""
        self._send(200, '{"state": "loaded"}', "application/json")

    def do_POST(self) -> None:
        """Answer as the case in the prompt says."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        body = json.loads(raw or "{}")
        self.requests.append((self.path, body))
        named = re.findall(r"case:(\w+)", raw)
        case = named[-1] if named else "ok"
        self.text = json.dumps(JUDGEMENT) if case == "judge" and _has_schema(raw) else ANSWER
        if case == "hang":
            with suppress(OSError):
                self.rfile.read(1)
            self.hung_up.set()
            self.close_connection = True
        elif case in FAULTS and not (case == "schema" and not _has_schema(raw)):
            self._fault(case)
        elif "/messages" in self.path:
            self._anthropic(case, forced_tool=_forced_tool(body))
        elif "/converse" in self.path:
            self._bedrock(case)
        elif "GenerateContent" in self.path:
            self._gemini(case)
        elif self.path.startswith("/api/chat"):
            self._ollama(case)
        elif self.path.endswith("/responses"):
            self._responses(case, stream=bool(body.get("stream")))
        else:
            self._openai(case, stream=bool(body.get("stream")))

    def _fault(self, case: str) -> None:
        status = FAULTS[case]
        if case == "html":
            self._send(status, "<html><body>Bad gateway</body></html>", "text/html")
            return
        message = {"schema": "response_format: json_schema is not supported"}.get(
            case, f"this is the case {case}; you sent {self._key()}"
        )
        content = self._error(case, status, message)
        if "GenerateContent" in self.path and case == "key":
            status = 400  # Google's answer to a wrong key
        told_otherwise = "GenerateContent" in self.path or "/converse" in self.path
        wait = {} if told_otherwise else {"retry-after": str(WAIT)}
        self._send(status, json.dumps(content), "application/json", **wait)

    def _error(self, case: str, status: int, message: str) -> dict[str, Any]:
        """The body of an error, as each API sends it."""
        host, path = self.headers.get("host", ""), self.path
        found: dict[str, Any] = {"message": message, "type": case, "param": None, "code": case}
        found = {"error": found}
        if "GenerateContent" in path:
            found = _google_error(case, status, message)
        elif "/messages" in path:
            inner = {"type": f"{case}_error", "message": message}
            found = {"type": "error", "error": inner, "request_id": "req_1"}
        elif path.startswith("/api/chat"):
            found = {"error": message}
        elif "/converse" in path:
            found = {"message": message}
        elif "mistral" in host and case == "key":
            found = {"detail": f"Unauthorized. {message}"}
        elif "mistral" in host:
            found = {"object": "error", "message": message, "type": case, "code": "1300"}
        elif "openrouter" in host:
            found = {"error": {"message": message, "code": status}, "user_id": "u"}
        return found

    def _key(self) -> str:
        """What the caller sent as its key: careless providers echo it."""
        names = ("authorization", "x-api-key", "x-goog-api-key")
        return " ".join(self.headers.get(name) or "" for name in names).strip()

    def _openai(self, case: str, *, stream: bool) -> None:
        reason = {"refused": "content_filter", "cut": "length"}.get(case, "stop")
        text = "" if case == "refused" else self.text
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        base = {"id": "1", "created": 1, "model": "m"}
        if not stream:
            message = {"role": "assistant", "content": text}
            if case == "thinks":
                message |= {"reasoning_content": THOUGHT, "reasoning": THOUGHT}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            done = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
            self._send(200, json.dumps(done), "application/json")
            return
        spoken = {"role": "assistant", "content": text}
        spoken |= {"reasoning_content": THOUGHT} if case == "thinks" else {}
        delta = {"index": 0, "delta": spoken, "finish_reason": None}
        last = {"index": 0, "delta": {}, "finish_reason": reason}
        events = [
            {**base, "object": "chat.completion.chunk", "choices": [delta]},
            {**base, "object": "chat.completion.chunk", "choices": [last], "usage": usage},
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        if case == "broken_stream":
            self._send(200, lines[0], "text/event-stream")
            return
        self._send(200, "".join(lines) + "data: [DONE]\n\n", "text/event-stream")

    def _responses(self, case: str, *, stream: bool) -> None:
        part: dict[str, Any] = {"type": "output_text", "text": self.text, "annotations": []}
        if case == "refused":
            part = {"type": "refusal", "refusal": "I cannot help with that."}
        item = {"type": "message", "id": "i", "role": "assistant", "status": "completed",
                "content": [part]}  # fmt: skip
        details = {"cached_tokens": 0}
        done = {
            "id": "r", "object": "response", "created_at": 1, "model": "m",
            "output": [*([_REASONING] if case == "thinks" else []), item],
            "status": "incomplete" if case == "cut" else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if case == "cut" else None,
            "error": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
            "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": {"input_tokens": 7, "input_tokens_details": details, "output_tokens": 3,
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 10},
        }  # fmt: skip
        if not stream:
            self._send(200, json.dumps(done), "application/json")
            return
        delta = {"type": "response.output_text.delta", "item_id": "i", "output_index": 0,
                 "content_index": 0, "delta": self.text, "logprobs": [],
                 "sequence_number": 1}  # fmt: skip
        ended = f"response.{done['status']}"
        events = [{"type": "response.created", "response": {"id": "r"}, "sequence_number": 0}]
        events += [] if case == "refused" else [delta]
        if case != "broken_stream":
            whole = {"type": "response.output_item.done", "output_index": 0, "item": item}
            events.append({**whole, "sequence_number": 1})
            events.append({"type": ended, "response": done, "sequence_number": 2})
        self._send_events(events)

    def _bedrock(self, case: str) -> None:
        reason = {"refused": "content_filtered", "cut": "max_tokens"}.get(case, "end_turn")
        index = {"contentBlockIndex": 0}
        events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
        if case == "thinks":
            thought = {"reasoningContent": {"text": THOUGHT}}
            events.append(("contentBlockDelta", {**index, "delta": thought}))
        if case != "refused":
            events.append(("contentBlockDelta", {**index, "delta": {"text": self.text}}))
        events.append(("contentBlockStop", index))
        if case != "broken_stream":
            usage = {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}
            events.append(("messageStop", {"stopReason": reason}))
            events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
        self._send_bytes(
            200,
            b"".join(_aws_event(name, content) for name, content in events),
            "application/vnd.amazon.eventstream",
        )

    def _anthropic(self, case: str, forced_tool: str | None) -> None:
        reason = {"refused": "refusal", "cut": "max_tokens"}.get(case, "end_turn")
        message: dict[str, Any] = {"id": "1", "type": "message", "role": "assistant",
                                   "content": [], "model": "m",
                   "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": 7, "output_tokens": 1}}  # fmt: skip
        events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
        if case == "thinks":
            begun = {"type": "thinking", "thinking": "", "signature": ""}
            events += [
                {"type": "content_block_start", "index": 0, "content_block": begun},
                {"type": "content_block_delta", "index": 0,
                 "delta": {"type": "thinking_delta", "thinking": THOUGHT}},
                {"type": "content_block_stop", "index": 0},
            ]  # fmt: skip
        place = int(case == "thinks")
        if case != "refused":
            block: dict[str, Any] = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": self.text}
            if forced_tool:
                block = {"type": "tool_use", "id": "t", "name": forced_tool, "input": {}}
                delta = {"type": "input_json_delta", "partial_json": self.text}
                reason = "tool_use"
            events += [
                {"type": "content_block_start", "index": place, "content_block": block},
                {"type": "content_block_delta", "index": place, "delta": delta},
                {"type": "content_block_stop", "index": place},
            ]
        end = {"stop_reason": reason, "stop_sequence": None}
        events += [
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": 3}},
            {"type": "message_stop"},
        ]
        if case == "broken_stream":
            events = events[:3]
        self._send_events(events)

    def _gemini(self, case: str) -> None:
        reason = {"cut": "MAX_TOKENS"}.get(case, "STOP")
        event: dict[str, Any] = {
            "modelVersion": "m",
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3},
        }
        if case == "refused":
            event["promptFeedback"] = {"blockReason": "SAFETY"}
        else:
            thoughts = [{"text": THOUGHT, "thought": True}] if case == "thinks" else []
            content = {"role": "model", "parts": [*thoughts, {"text": self.text}]}
            event["candidates"] = [{"content": content, "finishReason": reason}]
        if "alt=sse" in self.path:
            self._send(200, f"data: {json.dumps(event)}\r\n\r\n", "text/event-stream")
        else:
            self._send(200, json.dumps([event]), "application/json")

    def _ollama(self, case: str) -> None:
        reason = {"cut": "length"}.get(case, "stop")
        text = "" if case == "refused" else self.text
        thought = THOUGHT if case == "thinks" else None
        done = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True,
                "message": {"role": "assistant", "content": text, "thinking": thought},
                "done_reason": reason,
                "prompt_eval_count": 7, "eval_count": 3}  # fmt: skip
        self._send(200, json.dumps(done) + "\n", "application/x-ndjson")

    def _send_events(self, events: list[dict[str, Any]]) -> None:
        lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
        self._send(200, "".join(lines), "text/event-stream")

    def _send(self, status: int, text: str, kind: str, **headers: str) -> None:
        self._send_bytes(status, text.encode(), kind, **headers)

    def _send_bytes(self, status: int, content: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


_SCHEMA = re.compile(
    r"json_schema|response_format|response_schema|responseSchema|responseJsonSchema|output_config"
    r'|"tools"\s*:\s*\[\s*\{|"format"\s*:\s*\{'
)


def _google_error(case: str, status: int, message: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc."
    found: dict[str, Any] = {"code": status, "message": message, "status": case.upper()}
    if case == "key":
        found = {"code": 400, "message": f"API key not valid. {message}"}
        found |= {"status": "INVALID_ARGUMENT"}
        found["details"] = [{"@type": f"{kind}ErrorInfo", "reason": "API_KEY_INVALID"}]
    if case == "limited":
        found["details"] = [{"@type": f"{kind}RetryInfo", "retryDelay": f"{WAIT}s"}]
    return {"error": found}


def _has_schema(raw: str) -> bool:
    return _SCHEMA.search(raw) is not None


def _forced_tool(body: dict[str, Any]) -> str | None:
    """The tool that an Anthropic request makes the model call."""
    choice = body.get("tool_choice") or {}
    return choice.get("name") if choice.get("type") == "tool" else None


def _aws_event(name: str, content: dict[str, Any]) -> bytes:
    """One event of AWS's binary stream: lengths, headers, JSON, and a checksum of each part."""
    headers = b""
    for key, value in ((":event-type", name), (":content-type", "application/json"),
                       (":message-type", "event")):  # fmt: skip
        headers += bytes([len(key)]) + key.encode() + b"\x07"
        headers += struct.pack(">H", len(value)) + value.encode()
    payload = json.dumps(content).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack(">I", binascii.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # many callers at once, as in `bench.plugins`


_SENDERS = (
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
    ("httpx2", "HTTPTransport", "handle_request"),
    ("httpx2", "AsyncHTTPTransport", "handle_async_request"),
    ("requests.adapters", "HTTPAdapter", "send"),
    ("botocore.httpsession", "URLLib3Session", "send"),
)
"""Module, class and method through which every request of a library goes."""


def server() -> ThreadingHTTPServer:
    """A server that speaks all the APIs; not running yet."""
    return _Server(("127.0.0.1", 0), Api)


@contextmanager
def providers() -> Iterator[None]:
    """Serve, and send every request of httpx and httpx2 to the server."""
    running = server()
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    patched = [
        _routed(getattr(sys.modules[module], name), method, running.server_port)
        for module, name, method in _SENDERS
        if module in sys.modules
    ]
    try:
        yield
    finally:
        for transport, method, original in patched:
            setattr(transport, method, original)
        running.shutdown()
        running.server_close()


def _routed(transport: Any, method: str, port: int) -> tuple[Any, str, Any]:  # noqa: ANN401
    original = getattr(transport, method)

    def route(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if isinstance(request.url, str):
            request.url = re.sub(r"^https?://[^/]+", f"http://127.0.0.1:{port}", request.url)
        else:
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        return original(self, request, *args, **kwargs)

    setattr(transport, method, route)
    return transport, method, original
