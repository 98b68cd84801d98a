"""What is noted of what comes over the wire, with httpx2's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from consortium_mcp.adapters.wire.last_response import (
    LastResponse,
    _wrap_aws,
    last_response,
    noting,
)
from tests.support.wire_server import ANSWERS, served

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        assert noted.is_stream
        assert noted.events == []


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


def test_the_events_of_aws_are_noted_as_they_pass() -> None:
    class EventStream:
        def __init__(self, *events: dict[str, Any]) -> None:
            self.events = events

        def __iter__(self) -> Iterator[dict[str, Any]]:
            yield from self.events

    _wrap_aws(EventStream)
    _wrap_aws(EventStream)
    said = {"contentBlockDelta": {"delta": {"text": "4"}}}
    stop = {"messageStop": {"stopReason": "end_turn"}}
    with noting() as whole:
        assert list(EventStream(said, stop)) == [said, stop]
    assert whole.events == [said, stop]
    assert not whole.broke_off
    thought = {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "Hm."}}}}
    assert list(EventStream(thought, said)) == [said]
    with noting() as cut:
        assert list(EventStream(said)) == [said]
    assert cut.broke_off


SAID = '{"choices": [{"delta": {"content": "4"}, "finish_reason": null}]}'
MENTIONS = '{"choices": [{"delta": {"content": "message_stop [DONE]"}, "finish_reason": null}]}'


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (f"data: {SAID}\n\n", True),
        (f"data: {MENTIONS}\n\n", True),
        (f"data: {SAID}\n\ndata: [DONE]\n\n", False),
        (f"data: {SAID}\n\ndata: " + '{"choices": [{"finish_reason": "length"}]}\n', False),
        ('data: {"type": "message_stop"}\n', False),
        ('data: {"type": "response.incomplete", "response": {}}\n', False),
        ('{"message": {"content": "4"}, "done": false}\n', True),
        ('{"message": {"content": "4"}, "done": true}\n', False),
        ('[{"candidates": [{"content": {}}]}]', True),
        ('[{"candidates": [{"content": {}}]},\n{"candi', True),
        ('[{"candidates": [{"finishReason": "STOP"}]}]', False),
        ('[{"promptFeedback": {"blockReason": "SAFETY"}}]', False),
        ("just words", False),
        ("", False),
    ],
)
def test_a_stream_without_its_end_broke_off(body: str, cut: bool) -> None:  # noqa: FBT001
    seen = LastResponse(200, {}, body, is_stream=True, read_to_end=True)
    assert seen.broke_off is cut
