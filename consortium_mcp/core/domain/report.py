"""The run report: one object for every surface, computed from a `Run`. Absent is `None`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from consortium_mcp.core.domain.run import Run, Status, StopReason
from consortium_mcp.core.domain.verdict import ConfidenceParts, Dissent, Iteration, Response

if TYPE_CHECKING:
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run


class MemberReport(BaseModel):
    """One member, as it stood in the iteration whose verdict is reported."""

    label: str
    model: str
    status: str
    """`answered`, `failed`, `cut`, `waiting` where no response is in yet, or `spared`: the others
    had settled it, so this one was not asked."""
    final_answer: str | None
    stated_confidence: float | None
    supports: bool | None
    """Whether the synthesis stands on this member; `None` without a verdict."""
    error: str | None
    seconds: float | None
    input_tokens: int | None
    output_tokens: int | None
    nested_run_id: str | None = None
    """Its run, where the member is a consortium."""


class Usage(BaseModel):
    """What the run cost so far, every call that was made counted, retries included."""

    calls: int
    input_tokens: int | None
    """Of the calls that reported any; `None` where none did."""
    output_tokens: int | None
    seconds: float | None
    """Wall time from the start to the end of the run."""


class Plan(BaseModel):
    """Who would be asked, and the bounds of what that costs."""

    fewest_calls: int
    most_calls: int
    """Within `max_calls`; retries of failed calls come on top where it is not set."""
    estimated_input_tokens: int
    """Of what the members are asked first; nobody knows the length of their answers yet."""


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
    """The one whose verdict this is: the best, not always the last."""
    stop_reason: StopReason | None
    consortium: str | None
    strategy: str
    arbiter: str
    members: list[MemberReport]
    answered: int
    """Members with an answer in the iteration reported, of the `asked` (the spared are not)."""
    asked: int
    usage: Usage
    plan: Plan | None = None
    """What a dry run would cost."""
    continues: str | None = None
    """The id of the run that this one goes on from."""
    parent_run_id: str | None = None
    """The run that this one answers a call of, where it is nested."""
    error: str | None = None
    warnings: list[str]
    created_at: str
    """ISO 8601, UTC."""
    resource: str | None
    next_step: str | None = Field(default=None)
    """The call to make next, where one is useful."""


def resource_uri(run_id: str) -> str:
    """Where a run's synthesis can be read as a resource."""
    return f"consortium://runs/{run_id}"


def report_uri(run_id: str) -> str:
    """Where a run's whole report can be read as a resource."""
    return f"{resource_uri(run_id)}/report"


def consortium_uri(name: str) -> str:
    """Where a saved consortium can be read as a resource."""
    return f"consortium://consortiums/{name}"


def report_of(run: Run, usage: Usage, created_at: str) -> RunReport:
    """The report of a run in any status.

    Args:
        run: the run as far as it has come.
        usage: calls, tokens and seconds so far, as the journal counted them.
        created_at: when the run began, ISO 8601 in UTC.
    """
    best = run.best
    verdict = best.verdict if best else None
    members = [_member(member, best, run) for member in run.members]
    return RunReport(
        run_id=run.run_id,
        status=run.status,
        prompt=run.prompt,
        synthesis=verdict.synthesis if verdict else None,
        final_answer=verdict.final_answer if verdict else None,
        confidence=verdict.confidence if verdict else None,
        agreement=verdict.parts.agreement if verdict else None,
        arbiter_confidence=verdict.parts.arbiter_confidence if verdict else None,
        confidence_parts=verdict.parts if verdict else None,
        dissent=list(verdict.dissent) if verdict else [],
        refinements=list(verdict.refinements) if verdict else [],
        iterations=len(run.iterations),
        reported_iteration=best.number if best else None,
        stop_reason=run.stop_reason,
        consortium=run.config.name,
        strategy=run.config.strategy,
        arbiter=(verdict.arbiter if verdict else None) or run.config.arbiter,
        members=members,
        answered=sum(member.status == "answered" for member in members),
        asked=sum(member.status != "spared" for member in members),
        usage=usage,
        continues=run.continues,
        parent_run_id=run.parent.run_id if run.parent else None,
        error=run.error,
        warnings=list(run.warnings),
        created_at=created_at,
        resource=resource_uri(run.run_id),
        next_step=next_step_of(run.run_id, run.status, run.parent.run_id if run.parent else None),
    )


def report_of_plan(run: Run, plan: Plan, warnings: tuple[str, ...], created_at: str) -> RunReport:
    """The report of a dry run: who would be asked and what that would cost."""
    nothing = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)
    report = report_of(run, nothing, created_at)
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
    supports = None
    if best and response and response.answered:
        supports = member.label in best.verdict.supporters
    return MemberReport(
        label=member.label,
        model=member.model,
        status=response.status if response else "spared" if run.settled else "waiting",
        final_answer=response.final_answer if response else None,
        stated_confidence=response.stated_confidence if response else None,
        supports=supports,
        error=response.error if response else None,
        seconds=response.seconds if response else None,
        input_tokens=response.input_tokens if response else None,
        output_tokens=response.output_tokens if response else None,
        nested_run_id=response.nested_run_id if response else None,
    )


def _response(label: str, best: Iteration | None, run: Run) -> Response | None:
    """The member's response in the best iteration, or the last one known of it."""
    heard = [r for it in run.iterations for r in it.responses] + list(run.unjudged)
    candidates = [*(best.responses if best else ()), *reversed(heard)]
    return next((r for r in candidates if r.label == label), None)


def with_status(report: RunReport, status: Status) -> RunReport:
    """The report in another status, such as that of a run whose process died under it."""
    if status == report.status:
        return report
    next_step = next_step_of(report.run_id or "", status, report.parent_run_id)
    update: dict[str, Any] = {"status": status, "next_step": next_step}
    if status == "cancelled":
        update["stop_reason"] = "cancelled"
    return report.model_copy(update=update)


def next_step_of(run_id: str, status: Status, parent_run_id: str | None) -> str | None:
    """The tool call that gets a caller further, or `None` where the run has ended."""
    if status == "working":
        return f'get_run(run_id="{run_id}", wait_seconds=40)'
    if status == "interrupted":  # a nested run goes on when its parent does
        return f'resume_run(run_id="{parent_run_id or run_id}")'
    return None
