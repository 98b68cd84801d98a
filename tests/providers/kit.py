"""The APIs of providers on loopback, as they really answer, for the real plugins of llm.

What the server does is named in the prompt, such as `case:limited`. Requests of httpx and httpx2 to
any host are sent here.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = "It is 42."
FAULTS = {"key": 401, "credit": 402, "missing": 404, "limited": 429, "broken": 500, "busy": 503,
          "html": 502, "schema": 400}  # fmt: skip
WAIT = 7


class Api(BaseHTTPRequestHandler):
    """Speaks OpenAI Chat, Anthropic Messages, Gemini and Ollama, by path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as the case in the prompt says."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        body = json.loads(raw or "{}")
        named = re.findall(r"case:(\w+)", raw)
        case = named[-1] if named else "ok"
        if case in FAULTS and not (case == "schema" and not _has_schema(raw)):
            self._fault(case)
        elif "/messages" in self.path:
            self._anthropic(case)
        elif "GenerateContent" in self.path:
            self._gemini(case)
        elif self.path.startswith("/api/chat"):
            self._ollama(case)
        elif self.path.endswith("/responses"):
            self._responses(case)
        else:
            self._openai(case, stream=bool(body.get("stream")))

    def _fault(self, case: str) -> None:
        status = FAULTS[case]
        if case == "html":
            self._send(status, "<html><body>Bad gateway</body></html>", "text/html")
            return
        message = {"schema": "response_format: json_schema is not supported"}.get(
            case, f"this is the case {case}"
        )
        error: dict[str, Any] = {"message": message, "code": status, "type": case, "status": case}
        if "GenerateContent" in self.path and case == "limited":
            kind = "type.googleapis.com/google.rpc.RetryInfo"
            error["details"] = [{"@type": kind, "retryDelay": f"{WAIT}s"}]
        content: Any = {"type": "error", "error": error}
        if "mistral" in self.headers.get("host", ""):
            content = {"object": "error", **error}
        if self.path.startswith("/api/chat"):
            content = {"error": message}
        wait = {} if "GenerateContent" in self.path else {"retry-after": str(WAIT)}
        self._send(status, json.dumps(content), "application/json", **wait)

    def _openai(self, case: str, *, stream: bool) -> None:
        reason = {"refused": "content_filter", "cut": "length"}.get(case, "stop")
        text = "" if case == "refused" else ANSWER
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        base = {"id": "1", "created": 1, "model": "m"}
        if not stream:
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            done = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
            self._send(200, json.dumps(done), "application/json")
            return
        delta = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
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

    def _responses(self, case: str) -> None:
        part: dict[str, Any] = {"type": "output_text", "text": ANSWER, "annotations": []}
        if case == "refused":
            part = {"type": "refusal", "refusal": "I cannot help with that."}
        item = {"type": "message", "id": "i", "role": "assistant", "status": "completed",
                "content": [part]}  # fmt: skip
        details = {"cached_tokens": 0}
        done = {
            "id": "r", "object": "response", "created_at": 1, "model": "m", "output": [item],
            "status": "incomplete" if case == "cut" else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if case == "cut" else None,
            "error": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
            "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": {"input_tokens": 7, "input_tokens_details": details, "output_tokens": 3,
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 10},
        }  # fmt: skip
        self._send(200, json.dumps(done), "application/json")

    def _anthropic(self, case: str) -> None:
        reason = {"refused": "refusal", "cut": "max_tokens"}.get(case, "end_turn")
        message: dict[str, Any] = {"id": "1", "type": "message", "role": "assistant",
                                   "content": [], "model": "m",
                   "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": 7, "output_tokens": 1}}  # fmt: skip
        events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
        if case != "refused":
            block = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": ANSWER}
            events += [
                {"type": "content_block_start", "index": 0, "content_block": block},
                {"type": "content_block_delta", "index": 0, "delta": delta},
                {"type": "content_block_stop", "index": 0},
            ]
        end = {"stop_reason": reason, "stop_sequence": None}
        events += [
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": 3}},
            {"type": "message_stop"},
        ]
        if case == "broken_stream":
            events = events[:3]
        lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
        self._send(200, "".join(lines), "text/event-stream")

    def _gemini(self, case: str) -> None:
        reason = {"cut": "MAX_TOKENS"}.get(case, "STOP")
        event: dict[str, Any] = {
            "modelVersion": "m",
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3},
        }
        if case == "refused":
            event["promptFeedback"] = {"blockReason": "SAFETY"}
        else:
            content = {"role": "model", "parts": [{"text": ANSWER}]}
            event["candidates"] = [{"content": content, "finishReason": reason}]
        self._send(200, json.dumps([event]), "application/json")

    def _ollama(self, case: str) -> None:
        reason = {"cut": "length"}.get(case, "stop")
        text = "" if case == "refused" else ANSWER
        done = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True,
                "message": {"role": "assistant", "content": text}, "done_reason": reason,
                "prompt_eval_count": 7, "eval_count": 3}  # fmt: skip
        self._send(200, json.dumps(done) + "\n", "application/x-ndjson")

    def _send(self, status: int, text: str, kind: str, **headers: str) -> None:
        content = text.encode()
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


def _has_schema(raw: str) -> bool:
    return _SCHEMA.search(raw) is not None


@contextmanager
def providers() -> Iterator[None]:
    """Serve, and send every request of httpx and httpx2 to the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    patched = [
        _routed(getattr(sys.modules[module], name), method, server.server_port)
        for module in ("httpx", "httpx2")
        if module in sys.modules
        for name, method in (
            ("HTTPTransport", "handle_request"),
            ("AsyncHTTPTransport", "handle_async_request"),
        )
    ]
    try:
        yield
    finally:
        for transport, method, original in patched:
            setattr(transport, method, original)
        server.shutdown()
        server.server_close()


def _routed(transport: Any, method: str, port: int) -> tuple[Any, str, Any]:  # noqa: ANN401
    original = getattr(transport, method)

    def route(self: Any, request: Any) -> Any:  # noqa: ANN401
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        return original(self, request)

    setattr(transport, method, route)
    return transport, method, original
