"""The tools that start, resume and cancel a run. The calling model reads their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import Field

from consortium_mcp.core.domain.attachment import AttachmentSpec
from consortium_mcp.core.domain.request import (
    ConsortiumSettings,
    Consultation,
    ConsultRequest,
    checked_wait,
)
from consortium_mcp.frontends.mcp.protocol.elicitation import not_confirmed
from consortium_mcp.frontends.mcp.protocol.lifespan import (
    ServerLifespan,
    client_name,
    lifespan_of,
    service_of,
)
from consortium_mcp.frontends.mcp.protocol.progress import wait_with_progress
from consortium_mcp.frontends.mcp.protocol.results import report_result, tool_errors, with_note
from consortium_mcp.frontends.mcp.protocol.roots import attached_to
from consortium_mcp.frontends.mcp.protocol.tasks import hand_over
from consortium_mcp.frontends.mcp.tools.fields import RunId, WaitSeconds, with_settings
from consortium_mcp.frontends.mcp.tools.hints import CONSULTS, REPLACES, RESUMES
from consortium_mcp.frontends.mcp.tools.outputs import ConsultOutline, StatusOutline

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from consortium_mcp.services.service import Service

CALL_SETTINGS = (
    "models", "arbiter", "strategy", "sampling", "escalate_to", "system", "criteria",
    "template", "confidence_threshold", "max_iterations", "min_iterations", "max_calls",
    "max_total_tokens", "max_cost", "deadline_seconds", "reuse", "schema",
)  # fmt: skip
"""Settings that one call may give; the others are for saved consortiums only."""


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools."""
    server.tool(title="Consult a consortium", annotations=CONSULTS)(consult_consortium)
    server.tool(title="Resume a run", annotations=RESUMES)(resume_run)
    server.tool(title="Cancel a run", annotations=REPLACES)(cancel_run)


@tool_errors
@with_settings(*CALL_SETTINGS)
async def consult_consortium(
    prompt: Annotated[str, Field(description="The whole question, with all its context.")],
    ctx: Context[ServerLifespan],
    *,
    consortium: Annotated[
        str | None, Field(description="A saved consortium; the other fields override it.")
    ] = None,
    settings: ConsortiumSettings,
    attachments: Annotated[
        list[str | AttachmentSpec] | None,
        Field(description="Files: path, URL, or the content as text or base64 with its type."),
    ] = None,
    continue_run: Annotated[
        str | None, Field(description="A finished run whose conversation and panel to go on with.")
    ] = None,
    wait_seconds: WaitSeconds = None,
    dry_run: Annotated[
        bool, Field(description="Only show who would be asked, and how many calls.")
    ] = False,
) -> Annotated[CallToolResult, ConsultOutline] | InputRequiredResult:
    """Ask several language models the same question in parallel and get one weighed answer.

    Use it for hard, contested or costly questions. Returns a report: synthesis, confidence
    (computed from agreement), dissent, members, cost. If its status is `working`, call get_run
    as its next_step says. Without consortium or models it asks the saved `default`, or models
    that are ready.
    """
    service = await service_of(ctx)
    seconds = checked_wait(wait_seconds, lifespan_of(ctx).settings.wait_seconds)
    attached = await attached_to(ctx, attachments or ())
    if isinstance(attached, InputRequiredResult):
        return attached
    request = ConsultRequest(
        prompt,
        consortium,
        settings,
        continue_run,
        attachments=attached,
        client=client_name(ctx),
        join=True,
    )
    if dry_run:
        return report_result(await service.dry_run(request))
    begun = await service.find(request)  # it costs nothing, so it needs no confirmation
    if begun is None:
        if answer := await not_confirmed(ctx, service, request):
            return answer
        begun = await service.begin(request)
    return await _wait(service, begun, seconds, ctx)


@tool_errors
async def resume_run(
    run_id: RunId, ctx: Context[ServerLifespan], wait_seconds: WaitSeconds = None
) -> Annotated[CallToolResult, StatusOutline]:
    """Go on with an interrupted consultation: what was answered is not asked again.

    Find them with list_runs(status="interrupted"). Any other run only gives its report.
    """
    service = await service_of(ctx)
    run_id = await service.find_run(run_id)
    seconds = checked_wait(wait_seconds, lifespan_of(ctx).settings.wait_seconds)
    if await service.resume(run_id):
        return await _wait(service, Consultation(run_id), seconds, ctx)
    report = await service.wait(run_id, 0)
    return report_result(with_note(report, f"Nothing was resumed: the run is {report.status}."))


@tool_errors
async def cancel_run(
    run_id: RunId, ctx: Context[ServerLifespan]
) -> Annotated[CallToolResult, StatusOutline]:
    """End a working or interrupted consultation, whichever client began it.

    What was answered stays recorded. A run that has ended is left as it is.
    """
    service = await service_of(ctx)
    report = await service.cancel(await service.find_run(run_id))
    if report.status == "working":
        report = with_note(report, "Cancelling: its process has not reacted yet.")
    elif report.status != "cancelled":
        report = with_note(report, f"Nothing was cancelled: the run is {report.status}.")
    return report_result(report)


async def _wait(
    service: Service, begun: Consultation, seconds: float, ctx: Context[ServerLifespan]
) -> CallToolResult:
    """The report of the run that this call began or found, when it ends or the wait is over."""
    waiting, request = lifespan_of(ctx).waiting_calls, ctx.request_context.request
    run_id = begun.run_id
    waiting.began(request, ctx.request_id, run_id)
    if hand_over(run_id):
        waiting.given_away(run_id)
        return report_result(await service.wait(run_id, 0))
    with waiting.track(request, ctx.request_id, run_id, service.cancel_here):
        report = await wait_with_progress(service, run_id, seconds, ctx)
    if report.status == "working":
        waiting.given_away(run_id)
    return report_result(begun.told(report))
