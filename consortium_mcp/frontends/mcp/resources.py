"""Saved consortiums and past syntheses as MCP resources."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource

from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import ConsortiumError, UnknownConsortium, UnknownRun
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.reports.uris import consortium_uri, resource_uri
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.results import LISTINGS
from consortium_mcp.frontends.text.phrases import one_line
from consortium_mcp.frontends.text.report import report_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.services.service import Service

NEWEST = 50
"""How many syntheses are listed by name; the templates reach every run."""


async def list_all(service: Service) -> list[Resource]:
    """Saved consortiums and recent syntheses, by name: clients do not show templates to users."""
    consortiums = await service.consortiums.all()
    runs, _ = await service.history.page(RunQuery(limit=NEWEST))
    return [
        *(
            Resource(
                uri=consortium_uri(str(config.name)),
                name=f"consortium {config.name}",
                title=config.name,
                description=config.description or ", ".join(members_as_written(config)),
                mime_type="application/json",
            )
            for config in consortiums
        ),
        *(
            Resource(
                uri=resource_uri(run.run_id),
                name=one_line(run.prompt, 80),
                description=one_line(run.synthesis, 160) if run.synthesis else run.status,
                mime_type="text/markdown",
            )
            for run in runs
            if run.synthesis is not None
        ),
    ]


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the resource templates."""

    @server.resource(
        "consortium://consortiums/{name}",
        title="Saved consortium",
        description="A saved consortium: members, arbiter, strategy and limits.",
        mime_type="application/json",
    )
    async def consortium(name: str, ctx: Context[ServerLifespan]) -> str:
        service = await service_of(ctx)
        with _resource_errors():
            return (await service.consortiums.find(name)).model_dump_json(indent=2)

    @server.resource(
        "consortium://runs/{run_id}",
        title="Synthesis of a run",
        description="What a past consultation came to, as Markdown.",
        mime_type="text/markdown",
    )
    async def run(run_id: str, ctx: Context[ServerLifespan]) -> str:
        service = await service_of(ctx)
        with _resource_errors():
            found = await service.wait(await service.find_run(run_id), 0)
            return report_markdown(found, limit=None)

    @server.resource(
        "consortium://runs/{run_id}/report",
        title="Report of a run",
        description="The whole report of a past consultation, as JSON.",
        mime_type="application/json",
    )
    async def report(run_id: str, ctx: Context[ServerLifespan]) -> str:
        service = await service_of(ctx)
        with _resource_errors():
            found = await service.wait(await service.find_run(run_id), 0)
            return found.model_dump_json(indent=2)

    @server.resource(
        "consortium://runs/{run_id}/page",
        title="Page of a run",
        description="A past consultation to look at: one HTML file that fetches nothing.",
        mime_type="text/html",
    )
    async def page(run_id: str, ctx: Context[ServerLifespan]) -> str:
        from consortium_mcp.frontends.page import files, page_data  # noqa: PLC0415 (not at the start)

        service = await service_of(ctx)
        with _resource_errors():
            record, *nested = await service.records(await service.find_run(run_id))
            return files.page_html(page_data.run_page(record, nested))


@contextmanager
def _resource_errors() -> Iterator[None]:
    """Turn our errors into the SDK's resource errors."""
    try:
        yield
    except (UnknownRun, UnknownConsortium) as error:
        raise ResourceNotFoundError(error.told(LISTINGS)) from error
    except ConsortiumError as error:
        raise ResourceError(error.told(LISTINGS)) from error
