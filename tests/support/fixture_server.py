"""A server of our factory with all that the conformance suite's scenarios ask for.

`python -m tests.support.fixture_server PORT` serves it as `consortium-mcp --http` does ours. The
suite's scenarios call tools, resources and prompts by the names that its own example server gives
them; here they stand beside the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context  # noqa: TC002 (the SDK evaluates annotations)
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    ClientCapabilities,
    ContentBlock,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequiredResult,
    MissingRequiredClientCapabilityErrorData,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.frontends.mcp.http import serve_app
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
from consortium_mcp.frontends.mcp.server import make_server
from tests.support import input_fixtures, task_fixtures
from tests.support.task_fixtures import Jobs

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

TEXT = TextContent(text="This is a simple text response for testing.")
IMAGE = ImageContent(
    data="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC",
    mime_type="image/png",
)
AUDIO = AudioContent(
    data="UklGRiUAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQEAAACA", mime_type="audio/wav"
)


def resource(uri: str) -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type="text/plain", text="An embedded resource.")
    return EmbeddedResource(resource=contents)


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register tools, resources and prompts."""
    _add_contents(server)
    _add_talking(server)
    _add_asking(server)
    _add_diagnostics(server)
    _add_resources(server)
    _add_prompts(server)


def _add_contents(server: MCPServer[ServerLifespan]) -> None:
    contents: dict[str, list[ContentBlock]] = {
        "test_simple_text": [TEXT],
        "test_image_content": [IMAGE],
        "test_audio_content": [AUDIO],
        "test_embedded_resource": [resource("test://embedded-resource")],
        "test_multiple_content_types": [TEXT, IMAGE, resource("test://mixed-content-resource")],
    }
    for name, content in contents.items():
        _add_content(server, name, content)

    @server.tool()
    async def test_error_handling() -> str:
        """Fail."""
        raise ToolError("This tool intentionally returns an error for testing.")


def _add_content(server: MCPServer[ServerLifespan], name: str, content: list[ContentBlock]) -> None:
    # Structured as well, for the factory's list of tools wants to know what each returns.
    @server.tool(name, description="Return content of one kind.", structured_output=True)
    async def give() -> list[ContentBlock]:
        return content


def _add_talking(server: MCPServer[ServerLifespan]) -> None:
    """Tools that send notifications while they work."""

    async def set_level(_ctx: Any, _params: SetLevelRequestParams) -> EmptyResult:  # noqa: ANN401
        return EmptyResult()

    low = server._lowlevel_server
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)

    async def log(ctx: Context[ServerLifespan]) -> str:
        """Log three times."""
        for step in ("started", "processing", "completed"):
            await ctx.info(f"Tool execution {step}")
            await asyncio.sleep(0.05)
        return "logged"

    server.tool("test_tool_with_logging")(log)
    server.tool("test_logging_tool")(log)

    @server.tool()
    async def test_tool_with_progress(ctx: Context[ServerLifespan]) -> str:
        """Report progress three times."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await asyncio.sleep(0.05)
        return "done"


def _add_asking(server: MCPServer[ServerLifespan]) -> None:
    """Tools that send requests to their client, as servers did until 2025-11-25."""

    async def elicited(ctx: Context[ServerLifespan], message: str, fields: dict[str, Any]) -> str:
        schema = {"type": "object", "properties": fields, "required": list(fields)}
        answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
        return f"action={answer.action}, content={answer.content}"

    @server.tool()
    async def test_sampling(prompt: str, ctx: Context[ServerLifespan]) -> str:
        """Have the client's model answer."""
        message = SamplingMessage(role="user", content=TextContent(text=prompt))
        answer = await ctx.session.create_message(
            [message], max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {answer.content}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Context[ServerLifespan]) -> str:
        """Ask the user."""
        return await elicited(ctx, message, {"username": _STRING, "email": _STRING})

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context[ServerLifespan]) -> str:
        """Ask the user, and propose the answers."""
        return await elicited(ctx, "Who are you?", _WITH_DEFAULTS)

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context[ServerLifespan]) -> str:
        """Ask the user to choose, in every way there is."""
        return await elicited(ctx, "Choose.", _CHOICES)


_STRING = {"type": "string"}
_WITH_DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
_VALUES = ["option1", "option2"]
_TITLED = [{"const": value, "title": value.title()} for value in ("value1", "value2")]
_CHOICES = {
    "untitledSingle": {"type": "string", "enum": _VALUES},
    "titledSingle": {"type": "string", "oneOf": _TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["One", "Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _VALUES}},
    "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
}


def _add_diagnostics(server: MCPServer[ServerLifespan]) -> None:
    """Tools that only the scenarios of the 2026-07-28 wire call."""

    @server.tool()
    async def test_missing_capability(ctx: Context[ServerLifespan]) -> str:
        """Need sampling."""
        declared = ctx.client_capabilities
        if declared is None or declared.sampling is None:
            needed = ClientCapabilities(sampling=SamplingCapability())
            data = MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
            raise MCPError(
                MISSING_REQUIRED_CLIENT_CAPABILITY,
                "This needs sampling.",
                data.model_dump(by_alias=True, mode="json", exclude_none=True),
            )
        return "the client can"

    @server.tool()
    async def test_streaming_elicitation(ctx: Context[ServerLifespan]) -> str | InputRequiredResult:
        """Report progress, and then ask."""
        await ctx.report_progress(1, 2)
        if not ctx.input_responses:
            return InputRequiredResult(input_requests={"user_name": input_fixtures.NAME})
        return str(ctx.input_responses["user_name"])

    @server.tool()
    async def test_trigger_tool_change(ctx: Context[ServerLifespan]) -> str:
        """Say that the list of tools has changed."""
        await ctx.notify_tools_changed()
        return "said"

    @server.tool()
    async def test_trigger_prompt_change(ctx: Context[ServerLifespan]) -> str:
        """Say that the list of prompts has changed."""
        await ctx.notify_prompts_changed()
        return "said"

    @server.tool()
    async def test_custom_header(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> str:
        """Take an argument that stands in a header as well."""
        return region


def _add_resources(server: MCPServer[ServerLifespan]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    async def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    async def static_binary() -> bytes:
        """An image."""
        return base64.b64decode(IMAGE.data)

    @server.resource("test://template/{id}/data", mime_type="application/json")
    async def template(id: str) -> str:  # noqa: A002 (the suite's name)
        """What the address says."""
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: MCPServer[ServerLifespan]) -> None:
    @server.prompt()
    async def test_simple_prompt() -> str:
        """A text."""
        return "This is a simple prompt for testing."

    @server.prompt()
    async def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """A text with two arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt()
    async def test_prompt_with_embedded_resource(resourceUri: str) -> list[ContentBlock]:  # noqa: N803 (the suite's name)
        """A resource, and what to do with it."""
        return [resource(resourceUri), TextContent(text="Please process the embedded resource.")]

    @server.prompt()
    async def test_prompt_with_image() -> list[ContentBlock]:
        """An image, and what to do with it."""
        return [IMAGE, TextContent(text="Please analyze the image above.")]


if __name__ == "__main__":
    jobs = Jobs()
    the_server = make_server(from_environment(), tasks=jobs)
    add_to(the_server)
    input_fixtures.add_to(the_server)
    task_fixtures.add_to(the_server, jobs)
    serve_app(the_server, int(sys.argv[1]))
