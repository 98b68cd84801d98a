"""Fixtures of the conformance suite's `input-required-result-*` scenarios; see `fixture_server`.

A call that needs something of its client answers with what it asks for, and is made again with the
answers. Its state travels with the client meanwhile; the SDK seals it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context  # noqa: TC002 (the SDK evaluates annotations)
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
from tests.support.task_fixtures import elicitation

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

NAME = elicitation("What is your name?", name="string")
COLOUR = elicitation("What is your favourite colour?", color="string")
CONFIRM = elicitation("Please confirm.", ok="boolean")
CONTEXT = elicitation("What context should the prompt use?", context="string")
ROOTS = ListRootsRequest()


def sampling(text: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=text))
    return CreateMessageRequest(
        params=CreateMessageRequestParams(messages=[message], max_tokens=100)
    )


ASKING_ONCE: dict[str, tuple[dict[str, Any], str | None]] = {
    "elicitation": ({"user_name": NAME}, None),
    "sampling": ({"capital_question": sampling("What is the capital of France?")}, None),
    "list_roots": ({"client_roots": ROOTS}, None),
    "request_state": ({"confirm": CONFIRM}, "state"),
    "tampered_state": ({"confirm": CONFIRM}, "state"),
    "multiple_inputs": (
        {"user_name": NAME, "greeting": sampling("Greet them."), "client_roots": ROOTS},
        "state",
    ),
}
"""What is asked for, and the state that goes with it, by the last words of the tool's name."""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools and the prompt."""
    for name, (requests, state) in ASKING_ONCE.items():
        _add_asking_once(server, f"test_input_required_result_{name}", requests, state)
    _add_multi_round(server)
    _add_capabilities(server)

    @server.prompt()
    async def test_input_required_result_prompt(
        ctx: Context[ServerLifespan],
    ) -> str | InputRequiredResult:
        """Ask for what the prompt is about."""
        if not ctx.input_responses:
            return InputRequiredResult(input_requests={"user_context": CONTEXT})
        return str(ctx.input_responses["user_context"])


def _add_asking_once(
    server: MCPServer[ServerLifespan], name: str, requests: dict[str, Any], state: str | None
) -> None:
    @server.tool(name, description="Ask, until all that is asked for is there.")
    async def ask(ctx: Context[ServerLifespan]) -> str | InputRequiredResult:
        answers = ctx.input_responses or {}
        if requests.keys() <= answers.keys() and ctx.request_state == state:
            return f"state-ok: {answers}"
        return InputRequiredResult(input_requests=requests, request_state=state)


def _add_multi_round(server: MCPServer[ServerLifespan]) -> None:
    @server.tool()
    async def test_input_required_result_multi_round(
        ctx: Context[ServerLifespan],
    ) -> str | InputRequiredResult:
        """Ask for one thing, and then for another."""
        if ctx.request_state is None:
            return InputRequiredResult(input_requests={"step1": NAME}, request_state="one")
        if ctx.request_state == "one":
            return InputRequiredResult(input_requests={"step2": COLOUR}, request_state="two")
        return str(ctx.input_responses)


def _add_capabilities(server: MCPServer[ServerLifespan]) -> None:
    @server.tool()
    async def test_input_required_result_capabilities(
        ctx: Context[ServerLifespan],
    ) -> str | InputRequiredResult:
        """Ask only for what the client declared that it can do."""
        declared = ctx.client_capabilities
        requests: dict[str, Any] = {}
        if declared is not None and declared.elicitation is not None:
            requests["user_name"] = NAME
        if declared is not None and declared.sampling is not None:
            requests["greeting"] = sampling("Greet them.")
        if requests and not ctx.input_responses:
            return InputRequiredResult(input_requests=requests)
        return str(ctx.input_responses)
