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
_IN_TEMPLATE = """\
Call `consult_consortium`{given} with what is below as the prompt. The template says what to do \
with it; the models it asks see nothing of this conversation or of the files here, so add what \
they need to judge by themselves: {needed}. If the report's status is `working`, do what its \
`next_step` says. Then report the synthesis with its confidence and its dissent, and say what you \
could check yourself and where you see it otherwise.

{text}"""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the prompts."""
    server.prompt(title="Second opinion")(second_opinion)
    server.prompt(title="Settle a disagreement")(settle_disagreement)
    server.prompt(title="Review a change")(review_change)
    server.prompt(title="Choose an option")(choose_option)
    server.prompt(title="Find a fault")(find_fault)
    server.prompt(title="Check a claim")(check_claim)


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


def review_change(
    change: Annotated[str, Field(description="The change, or where it is, and what it is for.")],
    focus: Annotated[str, Field(description="What to look for first.")] = "",
    consortium: Consortium = "",
    models: Models = "",
    arbiter: Arbiter = "",
    strategy: Strategy = "",
) -> str:
    """Have several models review a change before it is merged."""
    given = _given(consortium, models, arbiter, strategy, _template("review_change", focus=focus))
    needed = "the whole diff, the code around it, and who calls it"
    return _IN_TEMPLATE.format(given=given, needed=needed, text=change)


def choose_option(
    decision: Annotated[str, Field(description="What to decide, the options and the limits.")],
    values: Annotated[str, Field(description="What counts, the weightiest first.")] = "",
    consortium: Consortium = "",
    models: Models = "",
    arbiter: Arbiter = "",
    strategy: Strategy = "",
) -> str:
    """Have several models decide between options."""
    given = _given(consortium, models, arbiter, strategy, _template("choose_option", values=values))
    needed = "each option by a short name, the situation, the limits, and figures where there are"
    return _IN_TEMPLATE.format(given=given, needed=needed, text=decision)


def find_fault(
    fault: Annotated[str, Field(description="What was expected, and what happens instead.")],
    consortium: Consortium = "",
    models: Models = "",
    arbiter: Arbiter = "",
    strategy: Strategy = "",
) -> str:
    """Have several models look for the cause of a fault."""
    given = _given(consortium, models, arbiter, strategy, _template("find_fault"))
    needed = "the code, the messages word for word, the versions, since when, and what was tried"
    return _IN_TEMPLATE.format(given=given, needed=needed, text=fault)


def check_claim(
    claim: Annotated[str, Field(description="The claim, who makes it and when.")],
    consortium: Consortium = "",
    models: Models = "",
    arbiter: Arbiter = "",
    strategy: Strategy = "",
) -> str:
    """Have several models check whether a claim is true."""
    given = _given(consortium, models, arbiter, strategy, _template("check_claim"))
    needed = "the claim word for word, the text around it, and sources that you have at hand"
    return _IN_TEMPLATE.format(given=given, needed=needed, text=claim)


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


def _template(name: str, **params: str) -> object:
    """The template as the tool call should have it, with the parameters that were given."""
    given = {each: text for each, text in params.items() if text.strip()}
    return {"name": name, "params": given} if given else name


def _given(
    consortium: str, models: str, arbiter: str, strategy: str, template: object = None
) -> str:
    """The given arguments in parentheses, as the tool call should have them; empty if none."""
    ids = [each.strip() for each in models.split(",") if each.strip()]
    given: dict[str, object] = {
        "template": template, "consortium": consortium, "models": ids, "arbiter": arbiter,
        "strategy": strategy,
    }  # fmt: skip
    named = [f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in given.items() if v]
    return f" ({', '.join(named)})" if named else ""
