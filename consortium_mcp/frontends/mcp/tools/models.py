"""The tool that lists models."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.core.panel.known_models import CURRENT_MODELS, EXTRAS
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.hints import READS
from consortium_mcp.frontends.mcp.tools.outputs import (
    ModelInfo,
    ModelList,
)
from consortium_mcp.services.catalogue import without_models

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.services.service import Service

MOST_MODELS = 50
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
    before = service.registry.latest
    default = None if query else await _default_panel(service)
    # Choosing the default panel asks all plugins; once is enough.
    snapshot = await service.registry.snapshot(refresh=service.registry.latest is before)
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
    lines = _lines(found.models)
    if default:
        lines.insert(0, default)
    if found.more:
        lines.append(f"- … {found.more} more; name a part of their ids as query.")
    lines += [f"- plugin {name}: {why}" for name, why in found.plugin_errors.items()]
    if not found.models:
        lines.append(_no_match(query or "", snapshot))
    return result("\n".join(lines), found)


async def _default_panel(service: Service) -> str:
    """Who is asked when nobody is named, and why."""
    try:
        panel = await service.resolver.resolve(None, ConsortiumSettings())
    except ConsortiumError:
        return "Asked when you name nobody: none yet; two models must be ready."
    members = ", ".join(members_as_written(panel.config))
    return (
        f"Asked when you name nobody: {members}; arbiter {panel.config.arbiter} "
        f"({panel.chosen_because})."
    )


def _lines(models: list[ModelInfo]) -> list[str]:
    """A line for each ready model, and one for all that lack the same."""
    lines = [f"- {m.id} ({m.provider}): ready" for m in models if m.ready]
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    for model in models:
        if not model.ready:
            lacking[model.missing or "not known"].append(model.id)
    for missing, ids in lacking.items():
        more = f" and {len(ids) - _FEW} more" if len(ids) > _FEW else ""
        lines.append(f"- {', '.join(ids[:_FEW])}{more}: {missing}")
    return lines


_FEW = 6


def _no_match(query: str, snapshot: Snapshot) -> str:
    """What to do where nothing matches: a provider may lack only its plugin."""
    provider = query.strip().lower()
    if provider in {*CURRENT_MODELS, *EXTRAS}:
        return f"No model of {provider}: {without_models(provider, snapshot)}."
    return "No model matches. Leave `query` out to see all."
