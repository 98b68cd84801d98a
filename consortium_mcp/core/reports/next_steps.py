"""The tool call that a report proposes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Status
    from consortium_mcp.core.reports.report import RunReport


def with_status(report: RunReport, status: Status) -> RunReport:
    """The report with another status, such as that of a run whose process died."""
    if status == report.status:
        return report
    next_step = next_step_of(report.run_id or "", status, report.parent_run_id)
    update: dict[str, Any] = {"status": status, "next_step": next_step}
    if status == "cancelled":
        update["stop_reason"] = "cancelled"
    return report.model_copy(update=update)


def with_resumes(report: RunReport, fruitless: int, member_timeout: float | None) -> RunReport:
    """The report of an interrupted run, which says how to resume it so that it gets on.

    Where a client starts a process for each call, the run is interrupted whenever the call's wait
    is over. So the next wait is at least as long as a member may take, and grows.

    Args:
        report: of the interrupted run.
        fruitless: resumes in a row that brought no new answer.
        member_timeout: seconds that one member may take; `None` where it is not known.
    """
    wait = min(round((member_timeout or RESUME_SECONDS) * 2**fruitless), LONGEST_RESUME_SECONDS)
    run_id = report.parent_run_id or report.run_id or ""
    step = next_step_of(run_id, "interrupted", None, wait)
    update: dict[str, Any] = {"next_step": step}
    if fruitless >= FRUITLESS_RESUMES:
        advice = (
            f"{fruitless} resumes in a row brought no new answer: the server's process ended "
            f"before one came. Wait longer in each call (wait_seconds={wait}), keep one session "
            "with the server open instead of starting it for each call, or ask faster models."
        )
        update["warnings"] = [*report.warnings, advice]
    return report.model_copy(update=update)


RESUME_SECONDS, LONGEST_RESUME_SECONDS = 120, 3600
FRUITLESS_RESUMES = 2
"""Resumes in a row without a new answer after which the report says what to change."""


def next_step_of(
    run_id: str, status: Status, parent_run_id: str | None, wait: int = RESUME_SECONDS
) -> str | None:
    """The tool call to make next, or `None` where the run has ended.

    Args:
        run_id: the run.
        status: its status.
        parent_run_id: the run that it is nested in, if any.
        wait: seconds for which a resumed run should be waited for.
    """
    if status == "working":
        return f'get_run(run_id="{run_id}", wait_seconds=40)'
    if status == "interrupted":  # a nested run goes on when its parent does
        return f'resume_run(run_id="{parent_run_id or run_id}", wait_seconds={wait})'
    return None
