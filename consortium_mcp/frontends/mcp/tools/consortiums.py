"""The tools for saved consortiums: save, list, delete. The calling model reads their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.request import SETTINGS, ConsortiumSettings
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.fields import with_settings
from consortium_mcp.frontends.mcp.tools.hints import READS, REPLACES
from consortium_mcp.frontends.mcp.tools.outputs import ConsortiumList, Deleted, SavedConsortium
from consortium_mcp.frontends.text.consortium import consortium_line

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


BRIEFLY = {
    "models": "Who answers.", "arbiter": "Who judges.", "strategy": "How to judge.",
    "sampling": "How many to ask.", "escalate_to": "Whom to ask in doubt.",
    "system": "For all members.", "criteria": "To judge by.",
    "confidence_threshold": "When to stop.",
    "max_iterations": "At most.", "min_iterations": "At least.", "max_calls": "In all.",
    "max_total_tokens": "In all.", "deadline_seconds": "For a run.",
    "arbiter_options": "Model options.", "member_timeout": "Seconds.",
    "arbiter_timeout": "Seconds.", "description": "What for.",
}  # fmt: skip
"""Settings that `consult_consortium` describes in full, or whose name says nearly all."""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools."""
    server.tool(title="Save a consortium", annotations=REPLACES)(save_consortium)
    server.tool(title="List consortiums", annotations=READS)(list_consortiums)
    server.tool(title="Delete a consortium", annotations=REPLACES)(delete_consortium)


@tool_errors
@with_settings(*SETTINGS, briefly=BRIEFLY)
async def save_consortium(
    name: Annotated[str, Field(description="Letters, digits, . _ -")],
    ctx: Context[ServerLifespan],
    *,
    settings: ConsortiumSettings,
    clone: Annotated[str | None, Field(description="A saved one to start from.")] = None,
    overwrite: Annotated[bool, Field(description="Replace another one of this name.")] = False,
) -> Annotated[CallToolResult, SavedConsortium]:
    """Save a panel under a name, for consult_consortium(consortium=name) and as a member.

    Fields are as in consult_consortium; give models or clone, or with overwrite only what to
    change. The one called `default` is asked
    whenever no panel is named.
    """
    service = await service_of(ctx)
    resolved = await service.consortiums.save(name, settings, clone=clone, overwrite=overwrite)
    saved = SavedConsortium(consortium=resolved.config, warnings=list(resolved.warnings))
    lines = [f"Saved. {consortium_line(resolved.config)}", *resolved.warnings]
    return result("\n".join(lines), saved)


@tool_errors
async def list_consortiums(
    ctx: Context[ServerLifespan],
) -> Annotated[CallToolResult, ConsortiumList]:
    """List the saved consortiums with their members and settings."""
    service = await service_of(ctx)
    saved = await service.consortiums.all()
    text = "\n".join(f"- {consortium_line(config)}" for config in saved)
    return result(text or "None is saved yet.", ConsortiumList(consortiums=saved))


@tool_errors
async def delete_consortium(
    name: Annotated[str, Field(description="Which one.")],
    ctx: Context[ServerLifespan],
    *,
    force: Annotated[bool, Field(description="Even if others ask it.")] = False,
) -> Annotated[CallToolResult, Deleted]:
    """Delete a saved consortium. Its past runs stay."""
    service = await service_of(ctx)
    await service.consortiums.delete(name, although_asked=force)
    return result(f"Deleted {name}. Its runs stay.", Deleted(deleted=name))
