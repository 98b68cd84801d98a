"""The connections of a call, with httpx2's own clients."""

from __future__ import annotations

import contextvars
import threading

import httpx2
import pytest

from consortium_mcp.adapters.wire.connections import Connections
from consortium_mcp.adapters.wire.last_response import noting
from tests.support.wire_server import served


@pytest.mark.anyio
async def test_the_connections_of_a_call_are_closed_and_those_of_a_shared_client_are_not() -> None:
    with served() as url:
        async with httpx2.AsyncClient(trust_env=False) as client:
            with noting() as first:
                await client.get(f"{url}/json")
                assert _open_connections(client) == 1
                await first.connections.close()
                assert _open_connections(client) == 0
            with noting() as second:
                await client.get(f"{url}/json")
                await second.connections.close()
            assert _open_connections(client) == 1
        async with httpx2.AsyncClient(trust_env=False) as shared:
            with noting() as first:
                await shared.get(f"{url}/json")
            with noting():
                await shared.get(f"{url}/json")
            await first.connections.close()
            assert _open_connections(shared) == 1


@pytest.mark.anyio
async def test_a_transport_that_cannot_be_closed_costs_no_answer() -> None:
    class Broken:
        async def aclose(self) -> None:
            raise RuntimeError

    connections = Connections()
    connections.add_transport(Broken())
    await connections.close()


def _open_connections(client: httpx2.AsyncClient) -> int:
    transport = client._transport
    assert isinstance(transport, httpx2.AsyncHTTPTransport)
    return len(transport._pool.connections)


@pytest.mark.parametrize("again", [False, True], ids=["its own", "an older one"])
def test_a_sync_call_that_waits_for_ever_is_woken(again: bool) -> None:  # noqa: FBT001
    with served() as url, httpx2.Client(trust_env=False) as client:
        if again:
            client.get(f"{url}/json")
        with noting() as noted:
            began, failures = threading.Event(), []
            context = contextvars.copy_context()

            def call() -> None:
                try:
                    with client.stream("GET", f"{url}/slow") as response:
                        began.set()
                        response.read()
                except httpx2.TransportError as error:
                    failures.append(error)

            thread = threading.Thread(target=context.run, args=(call,), daemon=True)
            thread.start()
            assert began.wait(60)
            noted.connections.break_off()
            thread.join(60)
        assert len(failures) == 1


def test_a_sync_call_that_has_no_response_yet_is_woken() -> None:
    with served() as url, httpx2.Client(trust_env=False) as client, noting() as noted:
        context = contextvars.copy_context()
        connected = threading.Event()
        failures = []

        def trace(name: str, _info: object) -> None:
            if name == "http11.send_request_headers.complete":
                connected.set()

        def call() -> None:
            try:
                client.get(f"{url}/stuck", extensions={"trace": trace})
            except httpx2.TransportError as error:
                failures.append(error)

        thread = threading.Thread(target=context.run, args=(call,), daemon=True)
        thread.start()
        assert connected.wait(60)  # a trace of the caller's own is told as well
        noted.connections.break_off()
        thread.join(60)
    assert len(failures) == 1


def test_breaking_off_what_has_ended_is_no_error() -> None:
    with served() as url, noting() as noted:
        with httpx2.Client(trust_env=False) as client:
            client.get(f"{url}/json")
        noted.connections.break_off()


def test_a_call_that_was_given_up_sends_nothing_more() -> None:
    with served() as url, noting() as noted, httpx2.Client(trust_env=False) as client:
        noted.connections.break_off()
        with pytest.raises(RuntimeError, match="given up"):
            client.get(f"{url}/json")
