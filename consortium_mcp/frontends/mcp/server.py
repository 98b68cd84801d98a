"""The MCP server: tools and resources on top of the service, for every transport of the SDK.

Importing this module imports neither llm nor the database. The service is loaded in a thread at its
first use, so the server answers its client at once.
"""

from __future__ import annotations

import importlib.metadata
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CancelledNotificationParams

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.principal import LOCAL
from consortium_mcp.frontends.mcp import completions, prompts, resources
from consortium_mcp.frontends.mcp.apps import page_of_runs, with_pages
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, ShownPlans
from consortium_mcp.frontends.mcp.protocol.results import LISTINGS
from consortium_mcp.frontends.mcp.protocol.run_tasks import RunTasks
from consortium_mcp.frontends.mcp.protocol.subscriptions import ChangeNotifier
from consortium_mcp.frontends.mcp.protocol.tasks import Tasks
from consortium_mcp.frontends.mcp.stdio import serve_until_disconnected, take_stdio
from consortium_mcp.frontends.mcp.tools import consortiums, consultation, history, models
from consortium_mcp.frontends.mcp.tools.arguments import read_arguments
from consortium_mcp.frontends.mcp.tools.schemas import (
    compact_input,
    compact_output,
    one_paragraph_each,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from anyio.abc import TaskGroup
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.request_state import RequestStateSecurity
    from mcp_types import CallToolResult, GetPromptResult, InputRequiredResult, Resource, Tool

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.frontends.mcp.protocol.tasks import TaskSource
    from consortium_mcp.services.service import Service

    MakeService = Callable[[TaskGroup], Service]

INSTRUCTIONS = """\
Consult several language models at once when a question is hard, contested or costly to get wrong: \
`consult_consortium` asks them in parallel, an arbiter weighs the answers, and one comes back with \
a computed confidence and who disagreed. It takes from seconds to minutes; a report with status \
`working` names the call to make next. Cite confidence and dissent when you use an answer. \
Earlier consultations: `list_runs` and `get_run`. One whose process ended before it did is found \
with `list_runs(status="interrupted")`; `resume_run` goes on with it and pays for nothing twice."""


CONSULT = "consult_consortium"


class ConsortiumServer(MCPServer[ServerLifespan]):
    """An MCP server that reads its resource list from the journal each time."""

    running: ServerLifespan | None = None
    """The lifespan state; `None` until the server runs."""
    notifier: ChangeNotifier
    """Tells clients of changes."""

    async def service(self) -> Service:
        """The service, loaded at its first use.

        Raises:
            RuntimeError: the server does not run yet.
        """
        if self.running is None:
            raise RuntimeError("the server is not being run")
        return await self.running.service()

    async def list_resources(self) -> list[Resource]:
        """Every saved consortium and the newest syntheses, by name."""
        fixed = await super().list_resources()
        if self.running is None:
            return fixed
        try:
            return fixed + await resources.list_all(await self.running.service())
        except ConsortiumError as error:
            raise MCPError(code=INTERNAL_ERROR, message=error.told(LISTINGS)) from error

    async def list_tools(self) -> list[Tool]:
        """The tools, with compact schemas."""
        return [
            tool.model_copy(
                update={
                    "description": one_paragraph_each(tool.description or ""),
                    "input_schema": compact_input(tool.input_schema),
                    "output_schema": tool.output_schema and compact_output(tool.output_schema),
                }
            )
            for tool in await super().list_tools()
        ]

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[ServerLifespan, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool with its arguments as clients really send them: see `arguments`."""
        schemas = {tool.name: tool.parameters for tool in self._tool_manager.list_tools()}
        if name in schemas:
            only_saved = schemas["save_consortium"]["properties"] if name == CONSULT else {}
            elsewhere = dict.fromkeys(only_saved, "save_consortium")
            arguments = read_arguments(name, schemas[name], arguments, elsewhere)
        return await super().call_tool(name, arguments, context)

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[ServerLifespan, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Get a prompt; an unknown name is an invalid-params error that lists the known names."""
        known = {prompt.name: prompt.arguments or [] for prompt in await self.list_prompts()}
        if name not in known:
            message = f"Unknown prompt {name!r}. There are: {', '.join(known)}."
            raise MCPError(code=INVALID_PARAMS, message=message)
        prompts.check(name, known[name], arguments or {})
        return await super().get_prompt(name, arguments, context)


def make_server(
    settings: Settings,
    make: MakeService | None = None,
    tasks: TaskSource | None = None,
    *,
    nobody: Principal = LOCAL,
    request_state: RequestStateSecurity | None = None,
    shown_plans: ShownPlans | None = None,
) -> ConsortiumServer:
    """A server, ready to run on any transport.

    Args:
        settings: paths, log level and defaults.
        make: builds the service; `None` for the real one.
        tasks: where the tasks extension finds its tasks; `None` for the runs.
        nobody: who a caller is that has not signed in.
        request_state: protects what clients carry from one request to the next, where another
            process may get the next one.
        shown_plans: notes which plans were shown for confirmation; by default of this process.
    """

    async def service() -> Service:
        return await server.service()

    notifier = ChangeNotifier()

    def running(group: TaskGroup) -> ServerLifespan:
        build = make or partial(_make_service, settings)
        return ServerLifespan(
            settings, build, group, notifier.announce, nobody=nobody, shown_plans=shown_plans
        )

    server = ConsortiumServer(
        name="consortium-mcp",
        title="Consortium",
        instructions=INSTRUCTIONS,
        version=importlib.metadata.version("consortium-mcp"),
        lifespan=_lifespan(running),
        subscriptions=notifier.bus,
        request_state_security=request_state,
        extensions=[Tasks(tasks or RunTasks(service)), page_of_runs()],
        log_level=settings.log_level,  # type: ignore[arg-type]  # checked when it was read
    )
    server.notifier = notifier
    for part in (consultation, consortiums, history, models, resources, prompts):
        part.add_to(server)
    for tool in server._tool_manager.list_tools():  # noqa: SLF001 (MCPServer offers no way)
        # The SDK would make an object of a system text that looks like JSON.
        object.__setattr__(tool.fn_metadata, "pre_parse_json", lambda arguments: arguments)
    completions.add_to(server, lambda: server.running.loaded if server.running else None)
    notifier.add_to(server)
    server.middleware.extend([_warm_up_afterwards, with_pages])
    server._lowlevel_server.add_notification_handler(  # noqa: SLF001 (MCPServer offers no way)
        "notifications/cancelled", CancelledNotificationParams, _on_cancelled
    )
    return server


def _make_service(settings: Settings, group: TaskGroup) -> Service:
    from consortium_mcp.services.assembly import assemble  # noqa: PLC0415 (llm is not paid for at start)

    return assemble(settings, group)


def _lifespan(
    make: Callable[[TaskGroup], ServerLifespan],
) -> Callable[[MCPServer[ServerLifespan]], AbstractAsyncContextManager[ServerLifespan]]:
    @asynccontextmanager
    async def lifespan(server: MCPServer[ServerLifespan]) -> AsyncIterator[ServerLifespan]:
        running: ServerLifespan | None = None
        try:
            async with anyio.create_task_group() as group:
                running = make(group)
                if isinstance(server, ConsortiumServer):
                    server.running = running
                try:
                    yield running
                    await running.landed()
                finally:
                    running.end()
        finally:
            if running is not None:
                await running.close()

    return lifespan


async def _warm_up_afterwards(
    ctx: ServerRequestContext[ServerLifespan, Any], call_next: CallNext
) -> HandlerResult:
    """Answer this request, then load llm and its models for later ones."""
    try:
        return await call_next(ctx)
    finally:
        ctx.lifespan_context.requested()


async def _on_cancelled(
    ctx: ServerRequestContext[ServerLifespan, Any], params: CancelledNotificationParams
) -> None:
    """Decide whether to end the run too; the SDK has already cancelled the call that waited."""
    running = ctx.lifespan_context
    if params.request_id is not None and (
        run_id := running.waiting_calls.run_to_end(ctx.request, params.request_id, params.reason)
    ):
        running.cancel(run_id)


def serve(settings: Settings, make: MakeService | None = None) -> NoReturn:
    """Serve on stdin and stdout until the client disconnects; then exit the process.

    Args:
        settings: paths, log level and defaults.
        make: builds the service; `None` for the real one.
    """
    stdin, stdout = take_stdio()  # before any plugin is loaded
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    server = make_server(settings, make)

    def on_end() -> None:
        if server.running is not None:
            server.running.end()

    def on_disconnect(on_idle: Callable[[], None]) -> bool:
        return server.running is not None and server.running.begin_nothing_more(on_idle)

    serve_until_disconnected(server, stdin, stdout, on_end, on_disconnect)
