"""Makes the report of a run, or of what one would be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.reports.next_steps import next_step_of
from consortium_mcp.core.reports.report import (
    MAX_SHOWN_NAME,
    AttachmentReport,
    MemberReport,
    Plan,
    RunReport,
    ToolReport,
    Usage,
)
from consortium_mcp.core.reports.uris import resource_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.tool_use import ToolUse
    from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict


def report_of(run: Run, usage: Usage, created_at: str) -> RunReport:
    """The report of a run in any status.

    Args:
        run: the run in its present state.
        usage: calls, tokens and seconds so far, from the journal.
        created_at: when the run began, ISO 8601 in UTC.
    """
    best = run.best
    members = [_member(member, best, run) for member in run.members]
    parent_run_id = run.parent.run_id if run.parent else None
    judge = best.verdict.arbiter if best else None
    return RunReport(
        run_id=run.run_id,
        status=run.status,
        prompt=run.prompt,
        iterations=len(run.iterations),
        reported_iteration=best.number if best else None,
        stop_reason=run.stop_reason,
        consortium=run.config.name,
        strategy=run.config.strategy,
        arbiter=judge or run.config.arbiter,
        members=members,
        answered=sum(member.status == "answered" for member in members),
        asked=sum(member.status != "spared" for member in members),
        attachments=[
            AttachmentReport(
                name=(a.url or a.name)[:MAX_SHOWN_NAME], type=a.type, bytes=a.size, sha256=a.sha256
            )
            for a in run.attachments
        ],
        usage=usage,
        continues=run.continues,
        parent_run_id=parent_run_id,
        error=run.error,
        warnings=list(run.warnings),
        created_at=created_at,
        resource=resource_uri(run.run_id),
        next_step=next_step_of(run.run_id, run.status, parent_run_id),
        **(_of_verdict(best.verdict) if best else _NO_VERDICT),
    )


_NO_VERDICT: dict[str, Any] = {
    "synthesis": None,
    "final_answer": None,
    "confidence": None,
    "agreement": None,
    "arbiter_confidence": None,
    "confidence_parts": None,
    "dissent": [],
    "refinements": [],
    "review": None,
    "data": None,
    "fields": [],
}


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "synthesis": verdict.synthesis,
        "final_answer": verdict.final_answer,
        "confidence": verdict.confidence,
        "agreement": verdict.parts.agreement,
        "arbiter_confidence": verdict.parts.arbiter_confidence,
        "confidence_parts": verdict.parts,
        "dissent": list(verdict.dissent),
        "refinements": list(verdict.refinements),
        "data": verdict.data,
        "fields": list(verdict.fields),
        "review": verdict.review,
    }


def tools_used(uses: Iterable[ToolUse]) -> list[ToolReport]:
    """The tools that were used, and how often; the most used first."""
    counts = Counter(use.name for use in uses).most_common()
    return [ToolReport(name=name, calls=calls) for name, calls in counts]


def report_of_plan(run: Run, plan: Plan, warnings: tuple[str, ...], created_at: str) -> RunReport:
    """The report of a dry run: who would be asked, and what that would cost."""
    no_usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)
    report = report_of(run, no_usage, created_at)
    return report.model_copy(
        update={
            "run_id": None,
            "status": "planned",
            "resource": None,
            "next_step": None,
            "plan": plan,
            "warnings": [*run.warnings, *warnings],
        }
    )


def _member(member: Member, best: Iteration | None, run: Run) -> MemberReport:
    response = _response(member.label, best, run)
    if response is None:
        status = "spared" if run.settled else "waiting"
        return MemberReport(label=member.label, model=member.model, status=status)
    supports = None
    if best and response.answered:
        supports = member.label in best.verdict.supporters
    return MemberReport(
        label=member.label,
        model=member.model,
        supports=supports,
        **response.model_dump(include=_RESPONSE_FIELDS),
    )


_RESPONSE_FIELDS = MemberReport.model_fields.keys() - {"label", "model", "supports"}


def _response(label: str, best: Iteration | None, run: Run) -> Response | None:
    """The member's response in the best iteration, or else its most recent one."""
    responses = [r for it in run.iterations for r in it.responses] + list(run.unjudged)
    candidates = [*(best.responses if best else ()), *reversed(responses)]
    return next((r for r in candidates if r.label == label), None)
