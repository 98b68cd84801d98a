"""The tools for saved consortiums: save, list, delete. The calling model reads their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.request import NOT_FOR_MODELS, SETTINGS, ConsortiumSettings
from consortium_mcp.core.reports.uris import consortium_uri
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.fields import with_settings
from consortium_mcp.frontends.mcp.tools.hints import READS, REPLACES
from consortium_mcp.frontends.mcp.tools.outputs import ConsortiumList, Deleted, SavedConsortium
from consortium_mcp.frontends.text.consortium import consortium_line
from consortium_mcp.frontends.text.fitting import Cutting

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


BRIEFLY = {
    "models": "Who answers.", "arbiter": "Who judges.", "strategy": "How to judge.",
    "sampling": "How many.", "escalate_to": "In doubt.",
    "system": "For all.", "criteria": "To judge by.",
    "template": "Of prompts.",
    "confidence_threshold": "Stop.",
    "max_iterations": "At most.", "min_iterations": "At least.", "max_calls": "In all.",
    "max_total_tokens": "In all.", "max_cost": "US dollars.", "deadline_seconds": "For a run.",
    "arbiter_options": "Model options.", "member_timeout": "Seconds.",
    "arbiter_timeout": "Seconds.", "on_unsupported": "For who takes no such file.",
    "quorum": "Share of members.", "straggler_grace": "Seconds after the quorum.",
    "reuse": "Age.", "schema": "Of answers.", "description": "What for.",
}  # fmt: skip
"""Settings that `consult_consortium` describes in full, or whose name says nearly all."""


MOST_LINES = 50
"""Consortiums in the text of a list."""
LONGEST_LINE = 500
"""Characters of one of them."""
_OF_LIST = Cutting(others="list_consortiums(query=…) with a part of a name shows fewer, and more")


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools."""
    server.tool(title="Save a consortium", annotations=REPLACES)(save_consortium)
    server.tool(title="List consortiums", annotations=READS)(list_consortiums)
    server.tool(title="Delete a consortium", annotations=REPLACES)(delete_consortium)


@tool_errors
@with_settings(*(each for each in SETTINGS if each not in NOT_FOR_MODELS), briefly=BRIEFLY)
async def save_consortium(
    name: Annotated[str, Field(description="Letters, digits, . _ -")],
    ctx: Context[ServerLifespan],
    *,
    settings: ConsortiumSettings,
    clone: Annotated[str | None, Field(description="A saved one to start from.")] = None,
    overwrite: Annotated[
        bool, Field(description="Replace the one of this name; without models, change it.")
    ] = False,
) -> Annotated[CallToolResult, SavedConsortium]:
    """Save a panel under a name, for consult_consortium(consortium=name) and as a member.

    Fields are as in consult_consortium; give models or clone. To change a saved one, give what
    changes and overwrite. The one called `default` is asked whenever no panel is named.
    """
    service = await service_of(ctx)
    resolved = await service.consortiums.save(name, settings, clone=clone, overwrite=overwrite)
    saved = SavedConsortium(consortium=resolved.config, warnings=list(resolved.warnings))
    lines = [f"Saved. {consortium_line(resolved.config, LONGEST_LINE)}", *resolved.warnings]
    return result("\n".join(lines), saved, Cutting(others=f"the resource {consortium_uri(name)}"))


@tool_errors
async def list_consortiums(
    ctx: Context[ServerLifespan],
    query: Annotated[str | None, Field(description="Part of a name.")] = None,
) -> Annotated[CallToolResult, ConsortiumList]:
    """List the saved consortiums with their members and settings."""
    service = await service_of(ctx)
    everyone = await service.consortiums.all()
    saved = [config for config in everyone if (query or "").lower() in str(config.name).lower()]
    lines = [f"- {consortium_line(config, LONGEST_LINE)}" for config in saved]
    if (more := len(lines) - MOST_LINES) > 0:
        lines[MOST_LINES:] = [f"- … {more} more: name a part of their names as query."]
    nobody = f"None of {len(everyone)} matches." if everyone else "None is saved yet."
    return result("\n".join(lines) or nobody, ConsortiumList(consortiums=saved), _OF_LIST)


@tool_errors
async def delete_consortium(
    name: str,
    ctx: Context[ServerLifespan],
    *,
    force: Annotated[bool, Field(description="Even if other consortiums ask it.")] = False,
) -> Annotated[CallToolResult, Deleted]:
    """Delete a saved consortium. Its past runs stay."""
    service = await service_of(ctx)
    warnings = await service.consortiums.delete(name, force=force)
    text = " ".join([f"Deleted {name}. Its runs stay.", *warnings])
    return result(text, Deleted(deleted=name, warnings=warnings))
