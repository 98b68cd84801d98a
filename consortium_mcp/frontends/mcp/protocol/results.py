"""What tools return: text for the reader, the same as data, and our errors as a tool's."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.text.report import report_markdown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from consortium_mcp.core.domain.errors import Listing
    from consortium_mcp.core.domain.report import RunReport


LISTINGS: Mapping[Listing, str] = {
    "models": "list_models shows which there are and which are ready.",
    "consortiums": "list_consortiums shows them; save_consortium makes one.",
    "runs": "list_runs lists and searches them.",
}
"""Where a calling model looks for the right name."""

P = ParamSpec("P")
R = TypeVar("R")


def tool_errors(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The one place where this front end turns our errors into a tool's."""

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ConsortiumError as error:
            raise ToolError(error.told(LISTINGS)) from error

    return wrapped


def result(text: str, data: BaseModel, *, is_error: bool = False) -> CallToolResult:
    """Markdown for the reader, and the same as data."""
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=data.model_dump(mode="json"),
        is_error=is_error,
    )


def report_result(report: RunReport) -> CallToolResult:
    """A run's report; one that failed is an error that carries it."""
    return result(report_markdown(report), report, is_error=report.status == "failed")


def noted(report: RunReport, note: str) -> RunReport:
    """The report, with what its reader should know of this very call."""
    return report.model_copy(update={"warnings": [*report.warnings, note]})
