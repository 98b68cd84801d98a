"""Tool results, as text and as structured data, and our errors as tool errors."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.reports.uris import report_uri
from consortium_mcp.frontends.text.fitting import OFFSET, Cutting, beginning, fitted, size
from consortium_mcp.frontends.text.report import report_markdown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from consortium_mcp.core.domain.errors import Listing
    from consortium_mcp.core.reports.report import RunReport


LISTINGS: Mapping[Listing, str] = {
    "models": "list_models shows which there are and which are ready.",
    "consortiums": "list_consortiums shows them; save_consortium makes one.",
    "runs": "list_runs lists and searches them.",
}
"""The tool with which a model finds the right name, by kind of name."""

MOST_BYTES = 58_000
"""Of a tool's result as JSON, its text and its data together: with what the protocol adds under
60 kB, which is about 25,000 tokens."""
_MOST_OF_TEXT = 32_000
"""Bytes of the text as JSON."""
_LONGEST_ERROR = 8_000
"""Bytes of an error as JSON."""
PROMPT_SHOWN = 500
"""Characters of a prompt in a report: who gets it has written it, and knows it by its beginning."""

P = ParamSpec("P")
R = TypeVar("R")


def tool_errors(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Decorate a tool: raise our errors as `ToolError`. No other place in this front end does."""

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ConsortiumError as error:
            raise ToolError(_cut(error.told(LISTINGS), _LONGEST_ERROR)) from error

    return wrapped


def result(
    text: str, data: BaseModel, cutting: Cutting | None = None, *, is_error: bool = False
) -> CallToolResult:
    """A result with Markdown as its text and the same as structured content.

    Both together have at most `MOST_BYTES`. Where something was cut, the field `left_out` of the
    data says what, and how to get it.

    Args:
        text: cut at its end where it is too long, so it should not be.
        data: the structured content.
        cutting: how it is cut where it is too long.
        is_error: whether it tells of a failure.
    """
    text = _cut(text, _MOST_OF_TEXT)
    shown, left_out = fitted(
        data.model_dump(mode="json", exclude={"left_out"}),
        MOST_BYTES - size(text),
        cutting or Cutting(),
    )
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=shown | ({"left_out": left_out} if left_out else {}),
        is_error=is_error,
    )


def _cut(text: str, room: int) -> str:
    kept = beginning(text, room)
    return text if kept == text else f"{kept} […]"


def report_result(report: RunReport, text: str | None = None) -> CallToolResult:
    """The result for a report; that of a failed run is an error result.

    Args:
        report: the report, perhaps with a page of texts in `included`.
        text: what to say instead of the report alone.
    """
    return result(
        report_markdown(report) if text is None else text,
        report,
        _cutting_of(report),
        is_error=report.status == "failed",
    )


def _cutting_of(report: RunReport) -> Cutting:
    excerpts = {"prompt": PROMPT_SHOWN}
    if report.run_id is None:  # a plan is recorded nowhere
        return Cutting(excerpts=excerpts)
    call = f'get_run(run_id="{report.run_id}", include='
    return Cutting(
        rest={
            "prompt": f'{call}["prompt"])',
            "synthesis": f'{call}["synthesis"], offset={OFFSET})',
            "data": f'{call}["synthesis"])',
            "fields": f'{call}["fields"])',
        },
        others=f'{call}["report"]), or the resource {report_uri(report.run_id)}',
        excerpts=excerpts,
        last="synthesis",
        whole=("data",),
        keep=("included",),
    )


def with_note(report: RunReport, note: str) -> RunReport:
    """A copy of the report with a warning about this call."""
    return report.model_copy(update={"warnings": [*report.warnings, note]})
