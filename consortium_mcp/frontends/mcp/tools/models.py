"""The tool that lists models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.hints import READS
from consortium_mcp.frontends.mcp.tools.outputs import (
    ModelInfo,
    ModelList,
)

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

MOST_MODELS = 100
"""Models in one list; a provider such as OpenRouter has hundreds."""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tool."""
    server.tool(title="List models", annotations=READS)(list_models)


@tool_errors
async def list_models(
    ctx: Context[ServerLifespan],
    query: Annotated[str | None, Field(description="Part of an id, alias or provider.")] = None,
) -> Annotated[CallToolResult, ModelList]:
    """List models for members and arbiter: ready ones first, and what others lack."""
    service = await service_of(ctx)
    snapshot = await service.registry.snapshot(refresh=True)
    wanted = (query or "").lower()
    matching = [
        entry
        for entry in sorted(snapshot.entries.values(), key=lambda entry: not entry.ready)
        if wanted in " ".join((entry.model_id, *entry.aliases, entry.provider)).lower()
    ]
    found = ModelList(
        models=[
            ModelInfo(
                id=entry.model_id,
                aliases=list(entry.aliases),
                provider=entry.provider,
                ready=entry.ready,
                missing=entry.missing or entry.readiness.doubt,
                demo=entry.demo,
            )
            for entry in matching[:MOST_MODELS]
        ],
        plugin_errors=snapshot.plugin_errors,
        more=max(0, len(matching) - MOST_MODELS),
    )
    lines = [f"- {m.id} ({m.provider}): {'ready' if m.ready else m.missing}" for m in found.models]
    if found.more:
        lines.append(f"- … {found.more} more; name a part of their ids as query.")
    lines += [f"- plugin {name}: {why}" for name, why in found.plugin_errors.items()]
    return result("\n".join(lines) or "No model matches.", found)
