"""The MCP tools. Names and fields are a contract; descriptions address the calling model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec, TypeVar

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from consortium_mcp.core.errors import ConsortiumError
from consortium_mcp.core.models import Status
from consortium_mcp.core.report import RunReport
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.core.wanted import MemberSpec, Wanted
from consortium_mcp.frontends.markdown import (
    consortium_line,
    exchanges_markdown,
    report_markdown,
    runs_markdown,
    verdicts_markdown,
)
from consortium_mcp.frontends.opening import Opening
from consortium_mcp.frontends.tool_outputs import (
    ConsortiumList,
    Deleted,
    FullReport,
    Included,
    ModelInfo,
    ModelList,
    NumberedVerdict,
    RunList,
    SavedConsortium,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.background import Progress
    from consortium_mcp.service import Service

P = ParamSpec("P")
R = TypeVar("R")

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)

Models = Annotated[
    list[str | MemberSpec] | None,
    Field(
        description="Members: 'model' or 'model:count' (gpt-4o:2 asks two), or objects "
        "{model, system?, options?, tier?}. Ids: list_models."
    ),
]
Arbiter = Annotated[
    str | None, Field(description="The model that judges; best one that is not a member.")
]
Strategy = Annotated[
    str | None,
    Field(
        description="How answers become a verdict. "
        + " ".join(f"{name}: {each.description}" for name, each in STRATEGIES.items())
    ),
]
System = Annotated[str | None, Field(description="System prompt for every member.")]
# Bounds are told to clients here and checked in core, whose errors name the remedy.
Threshold = Annotated[
    float | None,
    Field(
        description="Stop once confidence reaches this share (default 0.8).",
        json_schema_extra={"minimum": 0, "maximum": 1},
    ),
]
Iterations = Annotated[int | None, Field(json_schema_extra={"minimum": 1, "maximum": 20})]
Seconds = Annotated[float | None, Field(json_schema_extra={"exclusiveMinimum": 0})]
Limit = Annotated[int | None, Field(json_schema_extra={"minimum": 1})]
RunId = Annotated[str, Field(description="From a report or list_runs.")]


def _tool_errors(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The one place where this front end turns our errors into a tool's."""

    @functools.wraps(tool)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except ConsortiumError as error:
            raise ToolError(str(error)) from error

    return wrapped


def _result(text: str, data: BaseModel, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=data.model_dump(mode="json"),
        is_error=is_error,
    )


def _report_result(report: RunReport) -> CallToolResult:
    return _result(report_markdown(report), report, is_error=report.status == "failed")


async def _service(ctx: Context[Opening]) -> Service:
    return await ctx.request_context.lifespan_context.service()


async def _wait(service: Service, run_id: str, seconds: float, ctx: Context[Opening]) -> RunReport:
    async def on_progress(progress: Progress) -> None:
        await ctx.report_progress(progress.done, progress.total, progress.message)

    return await service.wait(run_id, seconds, on_progress)


def add_to(server: MCPServer[Opening], settings: Settings) -> None:
    """Register all tools."""
    _add_consulting(server, settings)
    _add_history(server)
    _add_consortiums(server)


def _add_consulting(server: MCPServer[Opening], settings: Settings) -> None:
    @server.tool(
        title="Consult a consortium",
        annotations=ToolAnnotations(
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=False,
            open_world_hint=True,
        ),
    )
    @_tool_errors
    async def consult_consortium(
        prompt: Annotated[str, Field(description="The whole question, with all its context.")],
        ctx: Context[Opening],
        consortium: Annotated[
            str | None, Field(description="A saved consortium; the other fields override it.")
        ] = None,
        models: Models = None,
        arbiter: Arbiter = None,
        strategy: Strategy = None,
        system: System = None,
        confidence_threshold: Threshold = None,
        max_iterations: Iterations = None,
        min_iterations: Iterations = None,
        max_calls: Limit = None,
        max_tokens: Limit = None,
        deadline_seconds: Seconds = None,
        wait_seconds: Annotated[
            float | None, Field(description="How long to wait here; the run goes on after it.")
        ] = None,
        dry_run: Annotated[  # noqa: FBT002 (a tool's fields all go by name)
            bool, Field(description="Only the plan: who would be asked, how many calls.")
        ] = False,
    ) -> Annotated[CallToolResult, RunReport]:
        """Ask several language models the same question in parallel and get one weighed answer.

        Use it for hard, contested or costly questions. Returns a report: synthesis, confidence
        (computed from agreement), dissent, members, cost. If its status is `working`, call get_run
        as its next_step says. Without consortium and models the saved consortium `default`, or the
        current models that are ready, are asked.
        """
        service = await _service(ctx)
        wanted = Wanted(
            models=models,
            arbiter=arbiter,
            strategy=strategy,
            system=system,
            confidence_threshold=confidence_threshold,
            max_iterations=max_iterations,
            min_iterations=min_iterations,
            max_calls=max_calls,
            max_tokens=max_tokens,
            deadline_seconds=deadline_seconds,
        )
        if dry_run:
            return _report_result(await service.dry_run(prompt, consortium, wanted))
        run_id = await service.consult(prompt, consortium, wanted)
        seconds = settings.wait_seconds if wait_seconds is None else wait_seconds
        try:
            return _report_result(await _wait(service, run_id, seconds, ctx))
        except anyio.get_cancelled_exc_class():
            service.cancel_here(run_id)  # the caller cancelled while it waited
            raise

    @server.tool(title="List models", annotations=_READS)
    @_tool_errors
    async def list_models(
        ctx: Context[Opening],
        query: Annotated[str | None, Field(description="Part of an id, alias or provider.")] = None,
    ) -> Annotated[CallToolResult, ModelList]:
        """List the models that can be members or arbiter, and what the others lack."""
        service = await _service(ctx)
        snapshot = await service.registry.snapshot(refresh=True)
        wanted = (query or "").lower()
        found = ModelList(
            models=[
                ModelInfo(
                    id=entry.model_id,
                    aliases=list(entry.aliases),
                    provider=entry.provider,
                    ready=entry.ready,
                    missing=entry.missing,
                    demo=entry.demo,
                )
                for entry in snapshot.entries.values()
                if wanted in " ".join((entry.model_id, *entry.aliases, entry.provider)).lower()
            ],
            plugin_errors=snapshot.plugin_errors,
        )
        lines = [
            f"- {m.id} ({m.provider}): {'ready' if m.ready else m.missing}" for m in found.models
        ]
        lines += [f"- plugin {name} failed: {why}" for name, why in found.plugin_errors.items()]
        return _result("\n".join(lines) or "No model matches.", found)


def _add_history(server: MCPServer[Opening]) -> None:
    @server.tool(title="List runs", annotations=_READS)
    @_tool_errors
    async def list_runs(
        ctx: Context[Opening],
        limit: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": 100})] = 20,
        cursor: Annotated[str | None, Field(description="next_cursor of the page before.")] = None,
        query: Annotated[
            str | None, Field(description="Words that prompt or synthesis must contain.")
        ] = None,
        status: Status | None = None,
        consortium: str | None = None,
    ) -> Annotated[CallToolResult, RunList]:
        """List past consultations, newest first; search them by words."""
        service = await _service(ctx)
        runs, next_cursor = await service.list_runs(limit, cursor, query, status, consortium)
        page = RunList(runs=runs, next_cursor=next_cursor)
        return _result(runs_markdown(runs, next_cursor), page)

    @server.tool(title="Get a run", annotations=_READS)
    @_tool_errors
    async def get_run(
        run_id: RunId,
        ctx: Context[Opening],
        wait_seconds: Annotated[
            float, Field(description="Wait so long for a run that still works.")
        ] = 0,
        include: Annotated[
            list[Literal["responses", "iterations", "exchanges"]] | None,
            Field(description="What to add: members' texts, verdicts, every model call."),
        ] = None,
    ) -> Annotated[CallToolResult, FullReport]:
        """Get the report of a consultation, waiting for one that still works if asked to."""
        service = await _service(ctx)
        report = await _wait(service, run_id, wait_seconds, ctx)
        included = await _included(service, run_id, include or [])
        full = FullReport(**report.model_dump(), included=included)
        text = report_markdown(report)
        if included:
            text += exchanges_markdown(included.exchanges or included.responses or [])
            text += verdicts_markdown([(v.number, v.verdict) for v in included.iterations or []])
        return _result(text, full, is_error=report.status == "failed")


async def _included(service: Service, run_id: str, include: Sequence[str]) -> Included | None:
    if not include:
        return None
    exchanges = await service.store.exchanges(run_id)
    iterations = await service.store.iterations(run_id)
    return Included(
        responses=[e for e in exchanges if e.role == "member"] if "responses" in include else None,
        iterations=[
            NumberedVerdict(number=it.number, verdict=it.verdict)
            for it in iterations
            if it.verdict is not None
        ]
        if "iterations" in include
        else None,
        exchanges=exchanges if "exchanges" in include else None,
    )


def _add_consortiums(server: MCPServer[Opening]) -> None:
    @server.tool(
        title="Save a consortium",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )
    @_tool_errors
    async def save_consortium(
        name: Annotated[str, Field(description="Letters, digits, . _ -; `default` is special.")],
        models: Models,
        ctx: Context[Opening],
        arbiter: Arbiter = None,
        strategy: Strategy = None,
        system: System = None,
        confidence_threshold: Threshold = None,
        max_iterations: Iterations = None,
        min_iterations: Iterations = None,
        arbiters: Annotated[
            list[str] | None, Field(description="Who judges in turn if the arbiter fails.")
        ] = None,
        quorum: Annotated[
            float | None,
            Field(
                description="Share of members whose answers are enough to go on.",
                json_schema_extra={"exclusiveMinimum": 0, "maximum": 1},
            ),
        ] = None,
        straggler_grace: Annotated[
            float | None, Field(description="Seconds for the others once the quorum is there.")
        ] = None,
        member_timeout: Seconds = None,
        arbiter_timeout: Seconds = None,
        deadline_seconds: Seconds = None,
        max_calls: Limit = None,
        max_tokens: Limit = None,
        description: str | None = None,
    ) -> Annotated[CallToolResult, SavedConsortium]:
        """Save a panel under a name, for consult_consortium(consortium=name); replaces one.

        The one called `default` is asked whenever no panel is named.
        """
        service = await _service(ctx)
        planned = await service.save(
            name,
            Wanted(
                models=models,
                arbiter=arbiter,
                strategy=strategy,
                system=system,
                confidence_threshold=confidence_threshold,
                max_iterations=max_iterations,
                min_iterations=min_iterations,
                arbiters=arbiters,
                quorum=quorum,
                straggler_grace=straggler_grace,
                member_timeout=member_timeout,
                arbiter_timeout=arbiter_timeout,
                deadline_seconds=deadline_seconds,
                max_calls=max_calls,
                max_tokens=max_tokens,
                description=description,
            ),
        )
        saved = SavedConsortium(consortium=planned.config, warnings=list(planned.warnings))
        lines = [f"Saved. {consortium_line(planned.config)}", *planned.warnings]
        return _result("\n".join(lines), saved)

    @server.tool(title="List consortiums", annotations=_READS)
    @_tool_errors
    async def list_consortiums(ctx: Context[Opening]) -> Annotated[CallToolResult, ConsortiumList]:
        """List the saved consortiums with their members and settings."""
        service = await _service(ctx)
        saved = await service.store.consortiums()
        text = "\n".join(f"- {consortium_line(config)}" for config in saved)
        return _result(text or "None is saved yet.", ConsortiumList(consortiums=saved))

    @server.tool(
        title="Delete a consortium",
        annotations=ToolAnnotations(
            read_only_hint=False,
            destructive_hint=True,
            idempotent_hint=False,
            open_world_hint=False,
        ),
    )
    @_tool_errors
    async def delete_consortium(
        name: str, ctx: Context[Opening]
    ) -> Annotated[CallToolResult, Deleted]:
        """Delete a saved consortium. Its past runs stay."""
        service = await _service(ctx)
        await service.store.delete_consortium(name)
        return _result(f"Deleted {name}. Its runs stay.", Deleted(deleted=name))
