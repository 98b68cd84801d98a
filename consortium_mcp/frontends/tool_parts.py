"""What the MCP tools are made of: their fields, their results, and how our errors become theirs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar, get_args

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from consortium_mcp.adapters.extensions import strategy_names
from consortium_mcp.core import models
from consortium_mcp.core.errors import ConsortiumError
from consortium_mcp.core.report import RunReport
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.core.wanted import MemberSpec
from consortium_mcp.frontends.markdown import report_markdown
from consortium_mcp.frontends.opening import Opening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.service import Service

P = ParamSpec("P")
R = TypeVar("R")

READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

LONG_RESULT = {"anthropic/maxResultSizeChars": 60_000}
"""What a result with a page of texts may have, as text and as data; Claude Code puts longer ones
into a file."""

Members = list[str | MemberSpec] | None
Models = Annotated[
    Members,
    Field(
        description="Members: 'model' or 'model:count' (gpt-4o:2 asks two), a saved consortium, or "
        "objects {model, system?, options?, tier?, role?}; tier (strong, mid, light) weighs the "
        "vote. Ids: list_models."
    ),
]
Arbiter = Annotated[
    str | None,
    Field(description="The model that judges: the first member if left out, better none of them."),
]
Strategy = Annotated[
    str | None,
    Field(
        description="Default auto. "
        + " ".join(f"{name}: {each.description}" for name, each in STRATEGIES.items())
        + "".join(f" {name}: of an installed package." for name in strategy_names())
    ),
]
Sampling = Annotated[
    str | None,
    Field(
        description="full asks all; adaptive three and then the rest, thrifty two at a time, "
        "until one answer leads by two votes.",
        json_schema_extra={"enum": [*get_args(models.Sampling)]},
    ),
]
EscalateTo = Annotated[
    str | None,
    Field(description="A stronger model, asked only if the first answers are not unanimous."),
]
System = Annotated[str | None, Field(description="System prompt for every member.")]
# Bounds are told to clients here and checked in core, whose errors name the remedy.
Threshold = Annotated[
    float | None,
    Field(
        description="Stop once confidence reaches this share (default 0.8).",
        json_schema_extra={"minimum": 0, "maximum": 1},
    ),
]
Iterations = Annotated[int | None, Field(json_schema_extra={"minimum": 1, "maximum": 20})]
Seconds = Annotated[float | None, Field(json_schema_extra={"exclusiveMinimum": 0})]
Limit = Annotated[int | None, Field(json_schema_extra={"minimum": 1})]
RunId = Annotated[str, Field(description="From a report or list_runs.")]
WaitSeconds = Annotated[
    float | None, Field(description="How long to wait here; the run goes on after it.")
]


def tool_errors(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The one place where this front end turns our errors into a tool's."""

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ConsortiumError as error:
            raise ToolError(str(error)) from error

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


async def service_of(ctx: Context[Opening]) -> Service:
    """The service of this server."""
    return await ctx.request_context.lifespan_context.service()
