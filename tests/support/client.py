"""What the acceptance tests ask, and how they read the answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from mcp import Client

if TYPE_CHECKING:
    from mcp_types import CallToolResult

Connect = Callable[..., AbstractAsyncContextManager[Client]]

PANEL = {"models": ["sure", "agrees"], "arbiter": "judge", "strategy": "synthesis"}


def text_of(result: CallToolResult) -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


def data_of(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a result that is no error."""
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    found: dict[str, Any] = result.structured_content
    return found
