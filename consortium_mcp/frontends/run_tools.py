"""The MCP tools for consultations: begin one, wait for it, go on with it, end it, look back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field

from consortium_mcp.core.models import Status
from consortium_mcp.core.report import RunReport
from consortium_mcp.core.wanted import Wanted, checked_wait
from consortium_mcp.frontends.confirming import not_confirmed
from consortium_mcp.frontends.markdown import (
    MAX_TEXT,
    page_markdown,
    report_markdown,
    runs_markdown,
)
from consortium_mcp.frontends.opening import Opening
from consortium_mcp.frontends.pages import PAGE, Section, entries_of, page
from consortium_mcp.frontends.tasks import hand_over
from consortium_mcp.frontends.tool_outputs import Brief, FullReport, RunList
from consortium_mcp.frontends.tool_parts import (
    LONG_RESULT,
    READS,
    Arbiter,
    EscalateTo,
    Iterations,
    Limit,
    Models,
    RunId,
    Sampling,
    Seconds,
    Strategy,
    System,
    Threshold,
    WaitSeconds,
    noted,
    report_result,
    result,
    service_of,
    tool_errors,
)

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.background import Progress
    from consortium_mcp.service import Service


def add_to(server: MCPServer[Opening], settings: Settings) -> None:
    """Register them."""
    _add_consulting(server, settings)
    _add_going_on(server, settings)
    _add_history(server)


async def _wait(service: Service, run_id: str, seconds: float, ctx: Context[Opening]) -> RunReport:
    async def on_progress(progress: Progress) -> None:
        await ctx.report_progress(progress.done, progress.total, progress.message)

    return await service.wait(run_id, seconds, on_progress)


async def _outcome(
    service: Service, run_id: str, seconds: float, ctx: Context[Opening]
) -> CallToolResult:
    """The report of a run begun by this call, once it has ended or the wait is over."""
    if hand_over(run_id):
        return report_result(await service.wait(run_id, 0))
    context = ctx.request_context
    waits, end = context.lifespan_context.waits, service.cancel_here
    with waits.of(context.request, ctx.request_id, run_id, end):
        return report_result(await _wait(service, run_id, seconds, ctx))


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
    @tool_errors
    async def consult_consortium(
        prompt: Annotated[str, Field(description="The whole question, with all its context.")],
        ctx: Context[Opening],
        consortium: Annotated[
            str | None, Field(description="A saved consortium; the other fields override it.")
        ] = None,
        models: Models = None,
        arbiter: Arbiter = None,
        strategy: Strategy = None,
        sampling: Sampling = None,
        escalate_to: EscalateTo = None,
        system: System = None,
        confidence_threshold: Threshold = None,
        max_iterations: Iterations = None,
        min_iterations: Iterations = None,
        continue_run: Annotated[
            str | None,
            Field(description="An ended run to go on from: its conversation, and its panel."),
        ] = None,
        max_calls: Limit = None,
        max_tokens: Limit = None,
        deadline_seconds: Seconds = None,
        wait_seconds: WaitSeconds = None,
        dry_run: Annotated[  # noqa: FBT002 (a tool's fields all go by name)
            bool, Field(description="Only the plan: who would be asked, how many calls.")
        ] = False,
    ) -> Annotated[CallToolResult, RunReport] | InputRequiredResult:
        """Ask several language models the same question in parallel and get one weighed answer.

        Use it for hard, contested or costly questions. Returns a report: synthesis, confidence
        (computed from agreement), dissent, members, cost. If its status is `working`, call get_run
        as its next_step says. Without consortium and models the saved consortium `default`, or the
        current models that are ready, are asked.
        """
        service = await service_of(ctx)
        wanted = Wanted(
            models=models,
            arbiter=arbiter,
            strategy=strategy,
            sampling=sampling,
            escalate_to=escalate_to,
            system=system,
            confidence_threshold=confidence_threshold,
            max_iterations=max_iterations,
            min_iterations=min_iterations,
            max_calls=max_calls,
            max_tokens=max_tokens,
            deadline_seconds=deadline_seconds,
        )
        seconds = checked_wait(wait_seconds, settings.wait_seconds)
        plan = partial(service.dry_run, prompt, consortium, wanted, continue_run=continue_run)
        if dry_run:
            return report_result(await plan())
        unlimited = replace(wanted, max_calls=None)
        if answer := await not_confirmed(
            ctx,
            plan,
            settings.confirm_calls,
            call=f"{prompt!r} {consortium!r} {continue_run!r} {unlimited!r}",
            named_max_calls=max_calls is not None,
        ):
            return answer
        run_id = await service.consult(prompt, consortium, wanted, continue_run=continue_run)
        return await _outcome(service, run_id, seconds, ctx)


def _add_going_on(server: MCPServer[Opening], settings: Settings) -> None:
    @server.tool(
        title="Resume a run",
        annotations=ToolAnnotations(
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=True,
        ),
    )
    @tool_errors
    async def resume_run(
        run_id: RunId, ctx: Context[Opening], wait_seconds: WaitSeconds = None
    ) -> Annotated[CallToolResult, Brief]:
        """Go on with an interrupted consultation: what was answered is kept and not asked again.

        Find them with list_runs(status="interrupted"). Any other run stays as it is; its report
        comes back.
        """
        service = await service_of(ctx)
        seconds = checked_wait(wait_seconds, settings.wait_seconds)
        if await service.resume(run_id):
            return await _outcome(service, run_id, seconds, ctx)
        report = await service.wait(run_id, 0)
        return report_result(noted(report, f"Nothing was resumed: the run is {report.status}."))

    @server.tool(
        title="Cancel a run",
        annotations=ToolAnnotations(
            read_only_hint=False,
            destructive_hint=True,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    @tool_errors
    async def cancel_run(run_id: RunId, ctx: Context[Opening]) -> Annotated[CallToolResult, Brief]:
        """End a consultation that works or was interrupted, whichever client began it.

        What was answered stays recorded. A run that has ended stays as it is.
        """
        service = await service_of(ctx)
        report = await service.cancel(run_id)
        if report.status == "working":
            report = noted(report, "Asked to cancel; its process has not reacted yet.")
        elif report.status != "cancelled":
            report = noted(report, f"Nothing was cancelled: the run is {report.status}.")
        return report_result(report)


def _add_history(server: MCPServer[Opening]) -> None:
    @server.tool(title="List runs", annotations=READS)
    @tool_errors
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
        """List past consultations, newest first; search them by words.

        An interrupted one (its process ended) can be continued with resume_run.
        """
        service = await service_of(ctx)
        runs, next_cursor = await service.list_runs(limit, cursor, query, status, consortium)
        page = RunList(runs=runs, next_cursor=next_cursor)
        more = f'list_runs(cursor="{next_cursor}")' if next_cursor else None
        return result(runs_markdown(runs, more), page)

    @server.tool(title="Get a run", annotations=READS, meta=LONG_RESULT)
    @tool_errors
    async def get_run(
        run_id: RunId,
        ctx: Context[Opening],
        wait_seconds: Annotated[
            float, Field(description="Wait so long for a run that still works.")
        ] = 0,
        include: Annotated[
            list[Section] | None,
            Field(
                description="Adds texts: the members' (responses), the verdicts (iterations), "
                "every call with its prompt (exchanges), a synthesis that was cut."
            ),
        ] = None,
        offset: Annotated[int, Field(description="next_offset of the page before.")] = 0,
    ) -> Annotated[CallToolResult, FullReport]:
        """Get the report of a consultation, waiting for one that still works if asked to.

        With include, a page of those texts as well; next_offset in `included` asks for the next.
        """
        if offset < 0 or (offset and not include):
            raise ToolError(f"offset is {offset}; it must be 0 or more, and needs include.")
        service = await service_of(ctx)
        report = await _wait(service, run_id, wait_seconds, ctx)
        full = FullReport(**report.model_dump())
        text = [] if offset else [report_markdown(report, MAX_TEXT - PAGE if include else MAX_TEXT)]
        if include:
            iterations = await service.store.iterations(run_id)
            exchanges = await service.exchanges(run_id)
            found = page(entries_of(include, report, iterations, exchanges), offset)
            full = full.model_copy(update={"included": found})
            text.append(page_markdown(found, run_id, include))
        return result("\n\n".join(text), full, is_error=report.status == "failed")
