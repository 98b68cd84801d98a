"""Tool results, as text and as structured data, and our errors as tool errors."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.report import RunReport
from consortium_mcp.frontends.mcp.protocol.sizes import fitted, for_conversation
from consortium_mcp.frontends.text.report import report_markdown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from consortium_mcp.core.domain.errors import Listing


LISTINGS: Mapping[Listing, str] = {
    "models": "list_models shows which there are and which are ready.",
    "consortiums": "list_consortiums shows them; save_consortium makes one.",
    "runs": "list_runs lists and searches them.",
}
"""The tool with which a model finds the right name, by kind of name."""

P = ParamSpec("P")
R = TypeVar("R")


def tool_errors(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Decorate a tool: raise our errors as `ToolError`. No other place in this front end does."""

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ConsortiumError as error:
            raise ToolError(error.told(LISTINGS)) from error

    return wrapped


def result(text: str, data: BaseModel, *, is_error: bool = False) -> CallToolResult:
    """A result with Markdown as its text and the same as structured content, both of bounded size.

    What is too long is cut and says so; see `sizes`.
    """
    content = data.model_dump(mode="json")
    if isinstance(data, RunReport):
        content = for_conversation(content)
    else:
        content, was_cut = fitted(content)
        if was_cut:
            content["shortened"] = "Texts or entries were left out: ask for fewer, or with a query."
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}… (cut; ask for less, or for a page)"
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=content, is_error=is_error
    )


MAX_CHARACTERS = 12_000
"""Of a result's text; most are shorter by themselves."""


def report_result(report: RunReport) -> CallToolResult:
    """The result for a report; that of a failed run is an error result."""
    return result(report_markdown(report), report, is_error=report.status == "failed")


def with_note(report: RunReport, note: str) -> RunReport:
    """A copy of the report with a warning about this call."""
    return report.model_copy(update={"warnings": [*report.warnings, note]})
