"""What the MCP tools are made of: their fields, their results, and how our errors become theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

from mcp.server.mcpserver import Context
from mcp_types import ToolAnnotations
from pydantic import Field

from consortium_mcp.adapters.entry_points import strategy_names
from consortium_mcp.core.domain import consortium
from consortium_mcp.core.domain.request import MemberSpec
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan

if TYPE_CHECKING:
    from consortium_mcp.services.service import Service

READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
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
        json_schema_extra={"enum": [*get_args(consortium.Sampling)]},
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


async def service_of(ctx: Context[ServerLifespan]) -> Service:
    """The service of this server."""
    return await ctx.request_context.lifespan_context.service()
