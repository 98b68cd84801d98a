"""The page of a run inside the conversation: MCP Apps, `io.modelcontextprotocol/ui`.

A client that renders pages is told which tools have one, and gets the page's data in the `_meta` of
their results, which models do not read. What the page itself asks of `get_run` stands in an
argument that no model is told of. Other clients see nothing of all this.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.mcpserver.resources import FunctionResource
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import BaseModel, ConfigDict, ValidationError

from consortium_mcp.core.domain.errors import ConsortiumError, UnknownRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
    from consortium_mcp.services.service import Service

    Call = ServerRequestContext[ServerLifespan, Any]

RUN_PAGE = "ui://consortium-mcp/run.html"
DATA = "consortium-mcp/page"
"""The key in a result's `_meta`; `frontends.page.live` says what stands there."""
ARGUMENT = "page"
"""The argument of `get_run` that is the page's own; see `PageRequest`."""
SHOWN_BY = ("consult_consortium", "resume_run")
"""The tools whose call is drawn. With `get_run` a run would be drawn a second time."""
_WITH_DATA = {*SHOWN_BY, "get_run", "cancel_run", "rate_run"}


class PageRequest(BaseModel):
    """What the page asks of `get_run` besides the report."""

    model_config = ConfigDict(extra="forbid")

    call: str | int | None = None
    """The id of the request that the page belongs to, in place of a run's id: until that call has
    ended, nobody has told the page which run it is."""
    after: str | None = None
    """The `cursor` of what the page shows: the wait is over as soon as there is something newer."""
    text: str | None = None
    """The key of a text that was left out; see `Later`."""


def page_of_runs() -> Apps:
    """The extension, with the page as its resource; the file is read when a client asks for it."""

    def read() -> str:
        from consortium_mcp.frontends.page.files import page_for_host  # noqa: PLC0415 (not at start)

        return page_for_host()

    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=RUN_PAGE,
            name="run",
            title="The page of a run",
            mime_type=APP_MIME_TYPE,
            fn=read,
        )
    )
    return apps


async def with_pages(ctx: Call, call_next: CallNext) -> HandlerResult:
    """Middleware that adds the page for clients that render it, and hides it from all others."""
    if ctx.method not in {"tools/list", "resources/list", "tools/call"}:
        return await call_next(ctx)
    renders = client_supports_apps(ctx)
    if ctx.method == "tools/call" and renders:
        return await _call(ctx, call_next)
    answer = await call_next(ctx)
    if ctx.method == "tools/list" and renders:
        return _with_page_of_tools(_fields(answer))
    if ctx.method == "resources/list" and not renders:
        return _without_page(_fields(answer))
    return answer


def _fields(answer: HandlerResult) -> dict[str, Any]:
    """The answer as it goes over the wire."""
    if isinstance(answer, BaseModel):
        return answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dict(answer or {})


def _with_page_of_tools(answer: dict[str, Any]) -> dict[str, Any]:
    tools = [
        tool | {"_meta": tool.get("_meta", {}) | {"ui": {"resourceUri": RUN_PAGE}}}
        if tool["name"] in SHOWN_BY
        else tool
        for tool in answer["tools"]
    ]
    return answer | {"tools": tools}


def _without_page(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"resources": [it for it in answer["resources"] if it["uri"] != RUN_PAGE]}


async def _call(ctx: Call, call_next: CallNext) -> HandlerResult:
    """Call a tool, and add the page's data to its result."""
    params = dict(ctx.params or {})
    name, arguments = params.get("name"), params.get("arguments")
    if name not in _WITH_DATA:
        return await call_next(ctx)
    request = PageRequest()
    if name == "get_run" and isinstance(arguments, dict) and ARGUMENT in arguments:
        request = _request(arguments[ARGUMENT])
        waiting = ctx.lifespan_context.waiting_calls
        if request.call is not None and waiting.is_asking(ctx.request, request.call):
            return _asking()
        arguments = await _as_the_tool_takes_it(ctx, arguments, request)
        ctx = replace(ctx, params=params | {"arguments": arguments})
    answer = _fields(await call_next(ctx))
    report = answer.get("structuredContent")
    service = await ctx.lifespan_context.service()
    if not isinstance(report, dict) or "run_id" not in report:  # an error, or something to confirm
        run_id = (arguments or {}).get("run_id")
        if answer.get("isError") and isinstance(run_id, str) and await _is_gone(service, run_id):
            return answer | _notice("pruned", run_id=run_id)
        return answer
    try:
        data = await _data(service, report, request.text)
    except ConsortiumError:  # the report is there, and the page shows what it says
        return answer
    return answer | {"_meta": answer.get("_meta", {}) | {DATA: data}}


async def _is_gone(service: Service, run_id: str) -> bool:
    """Whether no run has this id (any more)."""
    try:
        await service.wait(await service.find_run(run_id), 0)
    except UnknownRun:
        return True
    except ConsortiumError:  # it cannot be read now
        return False
    return False


def _notice(kind: str, **more: str) -> dict[str, Any]:
    """The `_meta` of a result that has no run: what the page says instead; see `RunNotice`."""
    return {"_meta": {DATA: {"notice": {"notice": kind, **more}}}}


def _asking() -> dict[str, Any]:
    text = "The user is being asked whether to make the calls of this consultation."
    return {"content": [{"type": "text", "text": text}], "isError": True} | _notice("asking")


def _request(given: Any) -> PageRequest:  # noqa: ANN401 (whatever a client sends)
    try:
        return PageRequest.model_validate(given)
    except ValidationError as error:
        message = f"{ARGUMENT} is for the page of a run, which knows its form: {error}"
        raise MCPError(code=INVALID_PARAMS, message=message) from error


async def _as_the_tool_takes_it(
    ctx: Call, arguments: Mapping[str, Any], request: PageRequest
) -> dict[str, Any]:
    """The arguments without the page's own, after the wait that it asked for."""
    left = {key: value for key, value in arguments.items() if key != ARGUMENT}
    running = ctx.lifespan_context
    if request.call is not None:
        run_id = running.waiting_calls.run_of(ctx.request, request.call)
        if run_id is None:
            message = f"No call with the id {request.call} has begun a run."
            raise MCPError(code=INVALID_PARAMS, message=message)
        left["run_id"] = run_id
    if request.after is not None and isinstance(left.get("run_id"), str):
        seconds = left.pop("wait_seconds", 0)
        if isinstance(seconds, int | float):
            from consortium_mcp.frontends.page.live import wait_for_change  # noqa: PLC0415

            await wait_for_change(await running.service(), left["run_id"], request.after, seconds)
    return left


async def _data(service: Service, report: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    from consortium_mcp.core.reports.report import RunReport  # noqa: PLC0415 (not at start)
    from consortium_mcp.frontends.page.live import data_of, page_now  # noqa: PLC0415 (the same)
    from consortium_mcp.frontends.page.page_data import plan_page  # noqa: PLC0415 (the same)

    if report["run_id"] is None:
        return data_of(plan_page(RunReport.model_validate(report)), "planned")
    return await page_now(service, report["run_id"], text)
