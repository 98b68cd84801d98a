"""Argument completion: consortiums, runs, strategies, models, and words for templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_types import Completion

from consortium_mcp.core.records.run_summary import RunQuery
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

_SEVERAL = {"models", "focus", "values"}
"""Arguments that take several, with commas between."""
MOST = 100
"""Values in one completion; the protocol allows no more."""


def add_to(server: MCPServer[ServerLifespan], service: Callable[[], Service | None]) -> None:
    """Register the completion handler.

    Args:
        server: the server to register it on.
        service: returns the service, or `None` if it is not loaded yet: a completion does not wait.
    """

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK's
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        del ref, context  # an argument name means the same everywhere
        before, comma, last = argument.value.rpartition(",")
        if argument.name not in _SEVERAL:
            before, comma, last = "", "", argument.value
        wanted = last.strip().casefold()
        names = await _candidates(service(), argument.name)
        matching = [name for name in names if wanted in name.casefold()]
        matching.sort(key=lambda name: not name.casefold().startswith(wanted))
        return Completion(
            values=[f"{before}{comma}{name}" for name in matching[:MOST]],
            total=len(matching),
            has_more=len(matching) > MOST,
        )


_FIXED = {
    "strategy": STRATEGIES,
    "focus": ("correctness", "security", "concurrency", "compatibility", "speed", "loss of data"),
    "values": ("cost", "safety", "speed", "simplicity", "ease of undoing it", "effort"),
}
"""Values that do not depend on what is saved; the parameters of templates take others, too."""


async def _candidates(service: Service | None, argument: str) -> Iterable[str]:
    """Every known value of this argument; fetches no new model list."""
    if argument in _FIXED:
        return list(_FIXED[argument])
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
