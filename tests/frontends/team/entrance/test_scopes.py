from __future__ import annotations

import json
from typing import Any

import pytest

from consortium_mcp.frontends.team.entrance.scopes import scope_of_message, scope_of_page

READ_ONLY = {"list_runs", "get_run"}


def call(name: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}}


@pytest.mark.parametrize(
    ("message", "scope"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, "read"),
        (call("list_runs"), "read"),
        (call("consult_consortium"), "consult"),
        (call("a_tool_to_come"), "consult"),
        (call(None), "consult"),
        (call(["list_runs"]), "consult"),
        ({"method": "tools/call", "params": ["list_runs"]}, "consult"),
        ({"method": "tools/call"}, "consult"),
        ([call("list_runs"), call("rate_run")], "consult"),
        ([call("list_runs"), call("get_run")], "read"),
        ({"method": "tasks/get", "params": {"taskId": "x"}}, "read"),
        ({"method": "tasks/cancel", "params": {"taskId": "x"}}, "consult"),
        ({"method": "resources/read", "params": {"uri": "consortium://runs/x"}}, "read"),
        ("text", "read"),
        (None, "read"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_message_needs_no_more_than_it_does(message: Any, scope: str) -> None:  # noqa: ANN401
    assert scope_of_message(json.dumps(message).encode(), READ_ONLY) == scope


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[[]]"])
def test_what_cannot_be_read_is_left_to_the_server(body: bytes) -> None:
    assert scope_of_message(body, READ_ONLY) == "read"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/", "read"),
        ("HEAD", "/api/runs", "read"),
        ("POST", "/api/runs/x/cancel", "consult"),
        ("PUT", "/keys/openai", "consult"),
        ("GET", "/admin/usage", "admin"),
        ("POST", "/admin/audit", "admin"),
    ],
)
def test_a_page_needs_what_it_does(method: str, path: str, scope: str) -> None:
    assert scope_of_page(method, path) == scope
