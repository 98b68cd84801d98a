"""Completions of arguments: consortiums, runs, strategies and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_types import Completion

from consortium_mcp.core.domain.run_summary import RunQuery
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends.mcp.resources import NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcp.server.mcpserver import MCPServer
    from mcp_types import (
        CompletionArgument,
        CompletionContext,
        PromptReference,
        ResourceTemplateReference,
    )

    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
    from consortium_mcp.services.service import Service

MOST = 100
"""Values of one completion; the protocol's own bound."""


def add_to(server: MCPServer[ServerLifespan], service: Callable[[], Service | None]) -> None:
    """Register them.

    Args:
        server: where.
        service: gives the service, if it is loaded: who completes does not wait for it.
    """

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK's
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        del ref, context  # an argument's name means the same everywhere
        before, comma, last = argument.value.rpartition(",")
        if argument.name != "models":
            before, comma, last = "", "", argument.value
        wanted = last.strip().casefold()
        names = await _known(service(), argument.name)
        matching = [name for name in names if wanted in name.casefold()]
        matching.sort(key=lambda name: not name.casefold().startswith(wanted))
        return Completion(
            values=[f"{before}{comma}{name}" for name in matching[:MOST]],
            total=len(matching),
            has_more=len(matching) > MOST,
        )


async def _known(service: Service | None, argument: str) -> Iterable[str]:
    """All that this argument may be and that is known by now; nobody is asked for it."""
    if argument == "strategy":
        return list(STRATEGIES)
    if service is None:
        return []
    if argument in {"consortium", "name"}:
        return [str(config.name) for config in await service.consortiums.all()]
    if argument == "run_id":
        runs, _ = await service.history.page(RunQuery(limit=NEWEST))
        return [run.run_id for run in runs]
    if argument in {"models", "arbiter"}:
        return sorted(service.registry.latest.entries if service.registry.latest else ())
    return []
