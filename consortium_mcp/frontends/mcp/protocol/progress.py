"""Report the progress of a run to the client that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
    from consortium_mcp.services.runs.progress import Progress
    from consortium_mcp.services.service import Service


async def wait_with_progress(
    service: Service, run_id: str, seconds: float, ctx: Context[ServerLifespan]
) -> RunReport:
    """Wait for a run and report its progress; returns after `seconds` at the latest."""

    async def on_progress(progress: Progress) -> None:
        await ctx.report_progress(progress.done, progress.total, progress.message)

    return await service.wait(run_id, seconds, on_progress)
