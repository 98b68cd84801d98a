"""The MCP tools for consultations: begin one, wait for it, go on with it, end it, look back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field

from consortium_mcp.core.domain.report import RunReport
from consortium_mcp.core.domain.request import ConsultRequest, checked_wait
from consortium_mcp.frontends.mcp.protocol.elicitation import not_confirmed
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
from consortium_mcp.frontends.mcp.protocol.progress import wait_with_progress
from consortium_mcp.frontends.mcp.protocol.results import (
    noted,
    report_result,
    tool_errors,
)
from consortium_mcp.frontends.mcp.protocol.tasks import hand_over
from consortium_mcp.frontends.mcp.tools.fields import (
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
    service_of,
)
from consortium_mcp.frontends.mcp.tools.outputs import ReportOutline

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service


def add_to(server: MCPServer[ServerLifespan], settings: Settings) -> None:
    """Register them."""
    _add_consulting(server, settings)
    _add_going_on(server, settings)


async def _outcome(
    service: Service, run_id: str, seconds: float, ctx: Context[ServerLifespan]
) -> CallToolResult:
    """The report of a run begun by this call, once it has ended or the wait is over."""
    if hand_over(run_id):
        return report_result(await service.wait(run_id, 0))
    context = ctx.request_context
    waits, end = context.lifespan_context.waits, service.cancel_here
    with waits.of(context.request, ctx.request_id, run_id, end):
        return report_result(await wait_with_progress(service, run_id, seconds, ctx))


def _add_consulting(server: MCPServer[ServerLifespan], settings: Settings) -> None:
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
        ctx: Context[ServerLifespan],
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
        wanted = ConsultRequest(
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


def _add_going_on(server: MCPServer[ServerLifespan], settings: Settings) -> None:
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
        run_id: RunId, ctx: Context[ServerLifespan], wait_seconds: WaitSeconds = None
    ) -> Annotated[CallToolResult, ReportOutline]:
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
    async def cancel_run(
        run_id: RunId, ctx: Context[ServerLifespan]
    ) -> Annotated[CallToolResult, ReportOutline]:
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
