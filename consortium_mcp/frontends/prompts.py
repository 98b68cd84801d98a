"""MCP prompts, which clients offer their users as commands, and completions of their arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from mcp_types import Completion
from pydantic import Field

from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends.resources import NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcp.server.mcpserver import MCPServer
    from mcp_types import (
        CompletionArgument,
        CompletionContext,
        PromptReference,
        ResourceTemplateReference,
    )

    from consortium_mcp.frontends.opening import Opening
    from consortium_mcp.service import Service

MOST = 100
"""Values of one completion; the protocol's own bound."""

Consortium = Annotated[str, Field(description="A saved consortium; the usual one if left out.")]
Models = Annotated[str, Field(description="Model ids to ask instead, with commas between.")]
Arbiter = Annotated[str, Field(description="The model that judges.")]
Strategy = Annotated[str, Field(description="How answers become a verdict.")]


def add_to(server: MCPServer[Opening], service: Callable[[], Service | None]) -> None:
    """Register prompts and completions.

    Args:
        server: where.
        service: gives the service, if it is loaded: who completes does not wait for it.
    """
    _add_prompts(server)

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
        names = await _names(service(), argument.name)
        matching = [name for name in names if wanted in name.casefold()]
        matching.sort(key=lambda name: not name.casefold().startswith(wanted))
        return Completion(
            values=[f"{before}{comma}{name}" for name in matching[:MOST]],
            total=len(matching),
            has_more=len(matching) > MOST,
        )


async def _names(service: Service | None, argument: str) -> Iterable[str]:
    """All that this argument may be and that is known by now; nobody is asked for it."""
    if argument == "strategy":
        return list(STRATEGIES)
    if service is None:
        return []
    if argument in {"consortium", "name"}:
        return [str(config.name) for config in await service.consortiums.all()]
    if argument == "run_id":
        runs, _ = await service.history.page(limit=NEWEST)
        return [run.run_id for run in runs]
    if argument in {"models", "arbiter"}:
        return sorted(service.registry.latest.entries if service.registry.latest else ())
    return []


def _add_prompts(server: MCPServer[Opening]) -> None:
    @server.prompt(title="Second opinion")
    def second_opinion(
        question: Annotated[str, Field(description="What to ask, with all its context.")],
        consortium: Consortium = "",
        models: Models = "",
        arbiter: Arbiter = "",
        strategy: Strategy = "",
    ) -> str:
        """Have several models answer a question independently and compare that with your own."""
        given = _given(consortium, models, arbiter, strategy)
        return (
            "First answer the question below yourself, in a few sentences. Then call "
            f"`consult_consortium` with it as the prompt{given}; the models "
            "it asks see nothing of this conversation, so put all the context they need into the "
            "prompt. If the report's status is `working`, do what its `next_step` says. Then say "
            "where your answer and the synthesis agree and where not, and give your conclusion "
            "with the report's confidence and its dissent.\n\n"
            f"Question:\n{question}"
        )

    @server.prompt(title="Settle a disagreement")
    def settle_disagreement(
        question: Annotated[str, Field(description="What is disagreed about.")],
        positions: Annotated[str, Field(description="The positions, one a line.")],
        consortium: Consortium = "",
        models: Models = "",
        arbiter: Arbiter = "",
        strategy: Strategy = "",
    ) -> str:
        """Put a disagreement to several models, without telling them who holds which view."""
        given = _given(consortium, models, arbiter, strategy)
        return (
            f"Call `consult_consortium`{given} and ask which of these "
            "positions is right, or what else is. Give the positions in a neutral order and "
            "wording, and do not say who holds which. If the report's status is `working`, do what "
            "its `next_step` says. Then report the synthesis, how much its confidence is worth, "
            "the best argument of every other side, and what would settle what is still open.\n\n"
            f"Question:\n{question}\n\nPositions:\n{positions}"
        )


def _given(consortium: str, models: str, arbiter: str, strategy: str) -> str:
    """The arguments that were given, as the call is to have them."""
    ids = [each.strip() for each in models.split(",") if each.strip()]
    given: dict[str, object] = {
        "consortium": consortium, "models": ids, "arbiter": arbiter, "strategy": strategy,
    }  # fmt: skip
    named = [f"{name}={json.dumps(value)}" for name, value in given.items() if value]
    return f" ({', '.join(named)})" if named else ""
