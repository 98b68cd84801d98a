"""The MCP tools for saved consortiums. Descriptions address the calling model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.fields import READS, Members, service_of
from consortium_mcp.frontends.mcp.tools.outputs import (
    ConsortiumList,
    Deleted,
    SavedConsortium,
)
from consortium_mcp.frontends.text.consortium import consortium_line

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register them."""

    @server.tool(
        title="Save a consortium",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )
    @tool_errors
    async def save_consortium(
        name: Annotated[str, Field(description="Letters, digits, . _ -")],
        ctx: Context[ServerLifespan],
        models: Members = None,
        arbiter: str | None = None,
        strategy: str | None = None,
        sampling: str | None = None,
        escalate_to: str | None = None,
        system: str | None = None,
        confidence_threshold: float | None = None,
        max_iterations: int | None = None,
        min_iterations: int | None = None,
        arbiters: Annotated[
            list[str] | None, Field(description="Judge in turn if the arbiter fails.")
        ] = None,
        quorum: Annotated[
            float | None, Field(description="Share of members whose answers are enough.")
        ] = None,
        straggler_grace: Annotated[
            float | None, Field(description="Seconds the others have after that.")
        ] = None,
        member_timeout: float | None = None,
        arbiter_timeout: float | None = None,
        deadline_seconds: float | None = None,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        description: str | None = None,
        clone: Annotated[str | None, Field(description="A saved one to start from.")] = None,
        overwrite: Annotated[  # noqa: FBT002 (a tool's fields all go by name)
            bool, Field(description="Replace another one of this name.")
        ] = False,
    ) -> Annotated[CallToolResult, SavedConsortium]:
        """Save a panel under a name, for consult_consortium(consortium=name) and as a member.

        Fields are those of consult_consortium; give models or clone. The one called `default` is
        asked whenever no panel is named.
        """
        service = await service_of(ctx)
        planned = await service.consortiums.save(
            name,
            ConsultRequest(
                models=models,
                arbiter=arbiter,
                strategy=strategy,
                sampling=sampling,
                escalate_to=escalate_to,
                system=system,
                confidence_threshold=confidence_threshold,
                max_iterations=max_iterations,
                min_iterations=min_iterations,
                arbiters=arbiters,
                quorum=quorum,
                straggler_grace=straggler_grace,
                member_timeout=member_timeout,
                arbiter_timeout=arbiter_timeout,
                deadline_seconds=deadline_seconds,
                max_calls=max_calls,
                max_tokens=max_tokens,
                description=description,
            ),
            clone=clone,
            overwrite=overwrite,
        )
        saved = SavedConsortium(consortium=planned.config, warnings=list(planned.warnings))
        lines = [f"Saved. {consortium_line(planned.config)}", *planned.warnings]
        return result("\n".join(lines), saved)

    @server.tool(title="List consortiums", annotations=READS)
    @tool_errors
    async def list_consortiums(
        ctx: Context[ServerLifespan],
    ) -> Annotated[CallToolResult, ConsortiumList]:
        """List the saved consortiums with their members and settings."""
        service = await service_of(ctx)
        saved = await service.consortiums.all()
        text = "\n".join(f"- {consortium_line(config)}" for config in saved)
        return result(text or "None is saved yet.", ConsortiumList(consortiums=saved))

    @server.tool(
        title="Delete a consortium",
        annotations=ToolAnnotations(
            read_only_hint=False,
            destructive_hint=True,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    @tool_errors
    async def delete_consortium(
        name: str, ctx: Context[ServerLifespan]
    ) -> Annotated[CallToolResult, Deleted]:
        """Delete a saved consortium. Its past runs stay."""
        service = await service_of(ctx)
        await service.consortiums.delete(name)
        return result(f"Deleted {name}. Its runs stay.", Deleted(deleted=name))
