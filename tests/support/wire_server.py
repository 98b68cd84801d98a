"""A web server on loopback that answers as providers do, by path.

with served() as url:
    httpx2.get(f"{url}/limited")
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from consortium_mcp.adapters.wire.last_response import watch_transports

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = 'data: {"choices": [{"finish_reason": null}]}\n\n'
LAST = 'data: {"choices": [{"finish_reason": "length"}], "usage": {"prompt_tokens": 7}}\n\n'
ANSWERS = {
    "/json": (200, "application/json", '{"choices": [{"finish_reason": "length"}]}'),
    "/limited": (429, "application/json", '{"error": {"message": "slow down"}}'),
    "/html": (500, "text/html", "<html>oops"),
    "/events": (200, "text/event-stream", EVENT + LAST + "data: [DONE]\n\n"),
    "/broken": (200, "text/event-stream", EVENT),
    "/streamJson": (200, "application/json", "[]"),
}


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.send_response(200)
            self.send_header("content-length", "10")
            self.end_headers()
        if self.path in {"/stuck", "/slow"}:
            self.rfile.read()  # until the other side has hung up
            return
        status, kind, text = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    watch_transports()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
