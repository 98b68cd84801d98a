"""Runs as tasks of the tasks extension. The task id is the run id; all state is in the journal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from consortium_mcp.core.domain.errors import UnknownRun
from consortium_mcp.frontends.mcp.protocol.results import report_result
from consortium_mcp.frontends.mcp.protocol.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service


class RunTasks:
    """A `TaskSource` that finds and cancels runs.

    Args:
        service: returns the service, loading it at its first use.
    """

    def __init__(self, service: Callable[[], Awaitable[Service]]) -> None:
        self._service = service

    async def find(self, task_id: str) -> Task | None:
        """The run as a task; a failed run is a completed task with an error result."""
        try:
            report = await (await self._service()).wait(task_id, 0)
        except UnknownRun:
            return None
        return _task(task_id, report)

    async def answer(self, task_id: str, responses: dict[str, Any]) -> None:
        """Do nothing: a run never asks its client for input."""

    async def cancel(self, task_id: str) -> None:
        """End the run, even if another process works on it."""
        await (await self._service()).cancel(task_id)


def _task(task_id: str, report: RunReport) -> Task:
    status: Literal["working", "cancelled", "completed"] = "completed"
    if report.status in {"working", "cancelled"}:
        status = report.status
    began = datetime.fromisoformat(report.created_at)
    updated = began + timedelta(seconds=report.usage.seconds or 0)
    answered = f"{report.answered} of {report.asked} members answered"
    done = report_result(report).model_dump(by_alias=True, mode="json", exclude_none=True)
    return Task(
        task_id=task_id,
        status=status,
        created_at=report.created_at,
        updated_at=updated.isoformat(timespec="milliseconds"),
        message=f"iteration {report.iterations + 1}: {answered}" if status == "working" else None,
        result=done if status == "completed" else None,
    )
