"""The tool that lists models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.hints import READS
from consortium_mcp.frontends.mcp.tools.outputs import ModelInfo, ModelList
from consortium_mcp.frontends.text.fitting import Cutting
from consortium_mcp.frontends.text.phrases import one_line
from consortium_mcp.services.catalogue import matching, why_not_here

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.adapters.models.snapshot import Entry
    from consortium_mcp.services.service import Service

MOST_MODELS = 50
"""Models in one list; a provider such as OpenRouter has hundreds."""
_CUTTING = Cutting(others="name a longer part of an id as query")


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
    before = service.registry.latest
    default = [] if query else [await _default_panel(service)]
    # Choosing the default panel asks all plugins, and once is enough.
    snapshot = await service.registry.snapshot(refresh=service.registry.latest is before)
    found = matching(snapshot, query or "")
    shown = found[:MOST_MODELS]
    listed = ModelList(
        models=_infos(shown),
        plugin_errors=snapshot.plugin_errors,
        more=len(found) - len(shown),
        remedy=why_not_here(snapshot, query, found) if query else None,
    )
    return result("\n".join([*default, *_lines(shown, listed, query)]), listed, _CUTTING)


async def _default_panel(service: Service) -> str:
    """Who is asked when nobody is named, and why."""
    try:
        panel = await service.resolver.resolve(None, ConsortiumSettings())
    except ConsortiumError:
        return "Asked when you name nobody: none yet, as two models must be ready."
    members = ", ".join(members_as_written(panel.config))
    return (
        f"Asked when you name nobody: {members}; arbiter {panel.config.arbiter} "
        f"({panel.chosen_because})."
    )


def _infos(entries: list[Entry]) -> list[ModelInfo]:
    """The models as data; what several lack is told once, as it is the longest part."""
    first: dict[str, str] = {}
    infos = []
    for entry in entries:
        missing = entry.missing or entry.readiness.doubt
        if missing is not None:
            teller = first.setdefault(missing, entry.model_id)
            missing = missing if teller == entry.model_id else f"the same as {teller}"
        infos.append(
            ModelInfo(
                id=entry.model_id,
                aliases=list(entry.aliases),
                provider=entry.provider,
                ready=entry.ready,
                missing=missing,
                demo=entry.demo,
            )
        )
    return infos


def _lines(entries: list[Entry], listed: ModelList, query: str | None) -> list[str]:
    """The list as Markdown: a line for each that is ready, and one for all that lack the same."""
    lines = [f"- {entry.model_id} ({entry.provider}): ready" for entry in entries if entry.ready]
    lacking: dict[str, list[str]] = {}
    for entry in entries:
        if not entry.ready:
            missing = str(entry.missing or entry.readiness.doubt)
            lacking.setdefault(f"({entry.provider}): {missing}", []).append(entry.model_id)
    lines += [f"- {', '.join(names)} {missing}" for missing, names in lacking.items()]
    if not lines:
        lines.append(
            f"No model matches {one_line(query, 80)!r}; without query, list_models shows all."
            if query
            else "llm has no model."
        )
    if listed.more:
        lines.append(f"- … {listed.more} more; name a part of their ids as query.")
    if listed.remedy:
        lines.append(f"- {listed.remedy}")
    return lines + [f"- plugin {name}: {why}" for name, why in listed.plugin_errors.items()]
