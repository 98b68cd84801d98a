"""MCP prompts; clients offer them to their users as commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import Field

from consortium_mcp.adapters.entry_points import strategy_names
from consortium_mcp.core.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcp.server.mcpserver import MCPServer
    from mcp_types import PromptArgument

    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan

Consortium = Annotated[str, Field(description="A saved consortium; the usual one if left out.")]
Models = Annotated[str, Field(description="Model ids to ask instead, with commas between.")]
Arbiter = Annotated[str, Field(description="The model that judges.")]
Strategy = Annotated[str, Field(description="How answers become a verdict.")]


_SECOND_OPINION = """\
First answer the question below yourself, in a few sentences. Then call `consult_consortium` with \
it as the prompt{given}; the models it asks see nothing of this conversation, so put all the \
context they need into the prompt. If the report's status is `working`, do what its `next_step` \
says. Then say where your answer and the synthesis agree and where not, and give your conclusion \
with the report's confidence and its dissent.

Question:
{question}"""
_SETTLE_DISAGREEMENT = """\
Call `consult_consortium`{given} and ask which of these positions is right, or what else is. Give \
the positions in a neutral order and wording, and do not say who holds which. If the report's \
status is `working`, do what its `next_step` says. Then report the synthesis, how much its \
confidence is worth, the best argument of every other side, and what would settle what is still \
open.

Question:
{question}

Positions:
{positions}"""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the prompts."""
    server.prompt(title="Second opinion")(second_opinion)
    server.prompt(title="Settle a disagreement")(settle_disagreement)


def second_opinion(
    question: Annotated[str, Field(description="What to ask, with all its context.")],
    consortium: Consortium = "",
    models: Models = "",
    arbiter: Arbiter = "",
    strategy: Strategy = "",
) -> str:
    """Have several models answer a question independently and compare that with your own."""
    given = _given(consortium, models, arbiter, strategy)
    return _SECOND_OPINION.format(given=given, question=question)


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
    return _SETTLE_DISAGREEMENT.format(given=given, question=question, positions=positions)


def check(name: str, known: Sequence[PromptArgument], given: Mapping[str, str]) -> None:
    """Check the arguments of a prompt.

    Raises:
        MCPError: one is missing, unknown, or names no strategy; the caller's fault, in a sentence.
    """
    names = [argument.name for argument in known]
    for argument in known:
        if argument.required and not (given.get(argument.name) or "").strip():
            about = (argument.description or "").rstrip(".").lower()
            raise _wrong(f"The prompt {name} needs {argument.name}: {about}.")
    for each in given:
        if each not in names:
            raise _wrong(f"The prompt {name} has no {each!r}. It takes {', '.join(names)}.")
    strategies = [*STRATEGIES, *strategy_names()]
    strategy = (given.get("strategy") or "").strip()
    if strategy and strategy.lower() not in strategies:
        raise _wrong(f"There is no strategy {strategy!r}. Write one of {', '.join(strategies)}.")


def _wrong(message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message)


def _given(consortium: str, models: str, arbiter: str, strategy: str) -> str:
    """The given arguments in parentheses, as the tool call should have them; empty if none."""
    ids = [each.strip() for each in models.split(",") if each.strip()]
    given: dict[str, object] = {
        "consortium": consortium, "models": ids, "arbiter": arbiter, "strategy": strategy,
    }  # fmt: skip
    named = [f"{name}={json.dumps(value)}" for name, value in given.items() if value]
    return f" ({', '.join(named)})" if named else ""
