"""What a request needs its caller to be allowed to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from consortium_mcp.adapters.identity.identity import Scope

MCP_PATH = "/mcp"
_CHANGING = {"tasks/cancel", "tasks/update", "tasks/result"}
"""Methods of MCP, besides calls of tools, that change or go on with a run."""
_READING = {"GET", "HEAD", "OPTIONS"}


def scope_of_page(method: str, path: str) -> Scope:
    """What a page's address needs.

    Args:
        method: the one of HTTP.
        path: as in the address.
    """
    if path.startswith("/admin"):
        return "admin"
    return "read" if method in _READING else "consult"


def scope_of_message(body: bytes, read_only: Collection[str]) -> Scope:
    """What a message to the MCP endpoint needs; one that cannot be read needs little.

    Args:
        body: JSON-RPC, one message or several.
        read_only: the tools that only read.
    """
    return "consult" if any(_changes(each, read_only) for each in _messages(body)) else "read"


def _messages(body: bytes) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(body or b"null")
    except ValueError:
        return  # the server says what is wrong with it
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield each


def _changes(message: dict[str, Any], read_only: Collection[str]) -> bool:
    method, params = message.get("method"), message.get("params")
    if method == "tools/call":
        name = params.get("name") if isinstance(params, dict) else None
        return not isinstance(name, str) or name not in read_only
    return method in _CHANGING
