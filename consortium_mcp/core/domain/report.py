"""The run report, computed from a `Run` and shared by all front ends. `None` means absent."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from consortium_mcp.core.domain.rating import Rating
from consortium_mcp.core.domain.run import Run, Status, StopReason
from consortium_mcp.core.domain.verdict import (
    ConfidenceParts,
    Dissent,
    Iteration,
    Response,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.tool_use import ToolUse


class MemberReport(BaseModel):
    """One member, as it stood in the iteration whose verdict is reported."""

    label: str
    model: str
    status: str
    """`answered`, `failed`, `cut`, `waiting` (no response yet), or `spared` (not asked, because
    the others had settled the answer)."""
    final_answer: str | None = None
    stated_confidence: float | None = None
    supports: bool | None = None
    """Whether the synthesis is based on this member's answer; `None` without a verdict."""
    error: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    """An estimate in US dollars; `None` where the price is not known."""
    nested_run_id: str | None = None
    """The member's own run, where the member is a consortium."""


class AttachmentReport(BaseModel):
    """What the question was about besides its prompt."""

    name: str
    type: str
    """MIME type."""
    bytes: int | None
    """`None` for a web address, which the providers fetch."""
    sha256: str | None


class ToolReport(BaseModel):
    """A tool that members used on the way."""

    name: str
    calls: int
    """How often, by all members together."""


class Usage(BaseModel):
    """What the run cost so far, every call that was made counted, retries included."""

    calls: int
    input_tokens: int | None
    """Summed over the calls that reported any; `None` where none did."""
    output_tokens: int | None
    cached_tokens: int | None = None
    """Those of the input that the providers had in their caches; `None` where none said so."""
    cost_usd: float | None = None
    """An estimate in US dollars for the calls whose price is known; `None` where none is."""
    priced_calls: int = 0
    """How many of the calls those are."""
    seconds: float | None
    """Wall time from the start to the end of the run."""


class Plan(BaseModel):
    """Who would be asked, and the bounds of what that costs."""

    fewest_calls: int
    most_calls: int
    """At most `max_calls`; where that is not set, retries of failed calls are extra."""
    estimated_input_tokens: int
    """Of the first question to each member; the length of the answers is not known yet."""
    least_cost_usd: float | None = None
    """An estimate in US dollars of the calls whose price is known; `None` where none is. So is
    `most_cost_usd`, which `max_cost` bounds."""
    most_cost_usd: float | None = None
    priced_calls: int = 0
    """Of the most calls, those whose price is known."""


class RunReport(BaseModel):
    """What a consultation came to."""

    run_id: str | None
    """`None` for a plan: nothing has run."""
    status: Status
    prompt: str
    synthesis: str | None
    final_answer: str | None
    confidence: float | None
    agreement: float | None
    arbiter_confidence: float | None
    confidence_parts: ConfidenceParts | None
    dissent: list[Dissent]
    refinements: list[str]
    iterations: int
    reported_iteration: int | None
    """The iteration whose verdict this is: the best, not always the last."""
    stop_reason: StopReason | None
    consortium: str | None
    strategy: str
    arbiter: str
    members: list[MemberReport]
    answered: int
    """Members that answered in the reported iteration, out of `asked`."""
    asked: int
    """Members without the spared ones."""
    attachments: list[AttachmentReport] = []
    tools: list[ToolReport] = []
    usage: Usage
    plan: Plan | None = None
    """What a dry run would cost."""
    continues: str | None = None
    """The id of the run that this one continues."""
    parent_run_id: str | None = None
    """Where this run is nested: the run that called it."""
    joined: bool = False
    """Whether this call joined a run that another had begun, instead of paying for a second."""
    age_seconds: float | None = None
    """How long ago the run had ended, where `reuse` returned it; `None` where it was not reused."""
    ratings: list[Rating] = []
    """What was said of the answer, oldest first; the newest counts."""
    error: str | None = None
    warnings: list[str]
    created_at: str
    """ISO 8601, UTC."""
    resource: str | None
    next_step: str | None = Field(default=None)
    """The tool call to make next, where one is useful."""


def resource_uri(run_id: str) -> str:
    """The resource that holds a run's synthesis."""
    return f"consortium://runs/{run_id}"


LATEST = "latest"
"""Names the newest run."""
_RUN = re.compile(
    r"(?:consortium://runs/)?([0-9A-Z]{26}|latest)(?:/(?:report|page))?", re.IGNORECASE
)


def run_named(text: str) -> str:
    """The id of the run that is named by its id or its URI, in any case; or `LATEST`."""
    text = text.strip().strip("`'\"<>")
    found = _RUN.fullmatch(text)
    name = found.group(1) if found else text
    return LATEST if name.lower() == LATEST else name.upper() if found else name


def report_uri(run_id: str) -> str:
    """The resource that holds a run's whole report."""
    return f"{resource_uri(run_id)}/report"


def consortium_uri(name: str) -> str:
    """The resource that holds a saved consortium."""
    return f"consortium://consortiums/{name}"


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
            AttachmentReport(name=a.url or a.name, type=a.type, bytes=a.size, sha256=a.sha256)
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
