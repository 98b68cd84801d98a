"""What is noted of what comes over the wire, with httpx2's own client."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx2
import pytest

from consortium_mcp.adapters.models.last_response import (
    LastResponse,
    last_response,
    noting,
    watch_transports,
)

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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    watch_transports()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def fetched(url: str) -> LastResponse:
    with noting() as noted, httpx2.Client(trust_env=False) as client:
        with client.stream("GET", url) as response:
            for _ in response.iter_bytes():
                pass
        assert last_response() is noted
    return noted


async def afetched(url: str) -> LastResponse:
    with noting() as noted:
        async with httpx2.AsyncClient(trust_env=False) as client, client.stream("GET", url) as got:
            async for _ in got.aiter_bytes():
                pass
    return noted


def checked(path: str, noted: LastResponse) -> None:
    assert noted.status == ANSWERS[path][0]
    assert noted.failed is (path in {"/limited", "/html"})
    assert noted.broke_off is (path == "/broken")
    assert (noted.error.get("message") == "slow down") is (path == "/limited")
    if path == "/json":
        assert noted.content == {"choices": [{"finish_reason": "length"}]}
    if path == "/events":
        assert noted.events[-1]["usage"] == {"prompt_tokens": 7}
    if path == "/streamJson":
        assert noted.body == ""


@pytest.mark.parametrize("path", sorted(ANSWERS))
def test_what_a_provider_said_is_noted(path: str) -> None:
    with served() as url:
        checked(path, fetched(url + path))


@pytest.mark.anyio
@pytest.mark.parametrize("path", sorted(ANSWERS))
async def test_what_a_provider_said_is_noted_async(path: str) -> None:
    with served() as url:
        checked(path, await afetched(url + path))


def test_a_stream_that_the_plugin_left_early_is_not_broken() -> None:
    with served() as url, noting() as noted, httpx2.Client(trust_env=False) as client:
        with client.stream("GET", f"{url}/broken") as response:
            assert response.status_code == 200
        assert not noted.broke_off


def test_outside_a_call_nothing_is_noted() -> None:
    with served() as url, httpx2.Client(trust_env=False) as client:
        assert client.get(f"{url}/json").status_code == 200
    assert last_response() == LastResponse()


@pytest.mark.anyio
async def test_the_connections_of_a_call_are_closed_and_those_of_a_shared_client_are_not() -> None:
    with served() as url:
        async with httpx2.AsyncClient(trust_env=False) as client:
            with noting() as first:
                await client.get(f"{url}/json")
                assert _open_connections(client) == 1
                await first.close_opened()
                assert _open_connections(client) == 0
            with noting() as second:
                await client.get(f"{url}/json")
                await second.close_opened()
            assert _open_connections(client) == 1
        async with httpx2.AsyncClient(trust_env=False) as shared:
            with noting() as first:
                await shared.get(f"{url}/json")
            with noting():
                await shared.get(f"{url}/json")
            await first.close_opened()
            assert _open_connections(shared) == 1


@pytest.mark.anyio
async def test_a_transport_that_cannot_be_closed_costs_no_answer() -> None:
    class Broken:
        async def aclose(self) -> None:
            raise RuntimeError

    noted = LastResponse(opened=[Broken()])
    await noted.close_opened()
    assert noted.opened == []


def _open_connections(client: httpx2.AsyncClient) -> int:
    transport = client._transport
    assert isinstance(transport, httpx2.AsyncHTTPTransport)
    return len(transport._pool.connections)
