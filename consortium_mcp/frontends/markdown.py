"""A report as a person would like to read it. Text only; used by every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.report import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.exchange import Exchange
    from consortium_mcp.core.models import ConsortiumConfig, Verdict
    from consortium_mcp.core.report import MemberReport, RunReport, RunSummary

_HEADLINES = {
    "planned": "A plan; nothing has been called",
    "working": "Still working",
    "failed": "The consultation failed",
    "cancelled": "The consultation was cancelled",
    "interrupted": "The consultation was interrupted",
}


def report_markdown(report: RunReport) -> str:
    """The whole report: synthesis first, then how much it is worth, who disagreed, what it cost."""
    parts: list[str] = []
    if report.status in _HEADLINES:
        parts.append(f"**{_HEADLINES[report.status]}.** {report.error or ''}".strip())
    if report.synthesis is not None:
        parts.append(report.synthesis)
        if report.final_answer and report.final_answer != report.synthesis:
            parts.append(f"**Answer:** {report.final_answer}")
        parts.append(_confidence(report))
    if report.plan is not None:
        plan = report.plan
        parts.append(
            f"{plan.fewest_calls} to {plan.most_calls} calls, retries not counted; about "
            f"{plan.estimated_input_tokens} input tokens in the first iteration, members' answers "
            "not counted."
        )
    heading = f"Members ({report.answered} of {report.asked} answered)"
    parts += _section(heading, [_member(member) for member in report.members])
    parts += _section(
        "Dissent",
        [
            f"- {', '.join(d.labels) or 'Open'}"
            f"{f' ({d.final_answer})' if d.final_answer else ''}: {d.argument}"
            for d in report.dissent
        ],
    )
    parts += _section("To look at again", [f"- {line}" for line in report.refinements])
    parts += _section("Warnings", [f"- {line}" for line in report.warnings])
    parts.append(_footer(report))
    return "\n\n".join(parts)


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"### {title}\n" + "\n".join(lines)] if lines else []


def _confidence(report: RunReport) -> str:
    parts = report.confidence_parts
    if report.confidence is None or parts is None:
        return "**Confidence:** none could be computed."
    stated = "nobody stated any" if parts.mean_stated is None else f"{parts.mean_stated:.2f}"
    said = parts.arbiter_confidence
    arbiter = "" if said is None else f", arbiter says {said:.2f}"
    abstained = f", {parts.abstentions} without a short answer" if parts.abstentions else ""
    return (
        f"**Confidence {report.confidence:.2f}** — agreement {parts.agreement:.2f} of "
        f"{parts.votes} votes ({parts.distinct_answers} distinct{abstained}), mean stated "
        f"confidence of the supporters: {stated}{arbiter}; {parts.method}."
    )


def _member(member: MemberReport) -> str:
    answer = f"“{member.final_answer}”" if member.final_answer else "no short answer"
    if member.status == "spared":
        return f"- {member.label} · {member.model}: not asked, the others had settled it"
    if member.status == "waiting":
        return f"- {member.label} · {member.model}"
    if member.status != "answered":
        return f"- {member.label} · {member.model}: {member.status} ({member.error})"
    stands = {True: "supports", False: "stands apart", None: "answered"}[member.supports]
    stated = "" if member.stated_confidence is None else f", stated {member.stated_confidence:.2f}"
    return f"- {member.label} · {member.model}: {stands}, {answer}{stated}, {seconds(member)}"


def seconds(member: MemberReport) -> str:
    """How long a member took, for a reader."""
    return "time unknown" if member.seconds is None else f"{member.seconds:.1f} s"


def tokens(report: RunReport) -> str:
    """The run's tokens, for a reader."""
    usage = report.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return "tokens not reported"
    return f"{usage.input_tokens or 0} tokens in, {usage.output_tokens or 0} out"


def _footer(report: RunReport) -> str:
    iterations = f"{report.iterations} iteration{'' if report.iterations == 1 else 's'}"
    stop = f", stopped by {report.stop_reason}" if report.stop_reason else ""
    took = "" if report.usage.seconds is None else f", {report.usage.seconds:.1f} s"
    line = (
        f"_{report.status} · strategy {report.strategy} · arbiter {report.arbiter} · "
        f"{iterations}{stop} · {report.usage.calls} calls, {tokens(report)}{took}"
        f"{f' · {report.resource}' if report.resource else ''}_"
    )
    return f"{line}\n\nNext: `{report.next_step}`" if report.next_step else line


def runs_markdown(runs: list[RunSummary], more: str | None) -> str:
    """A page of runs, nested ones indented, and how to ask for more where there is more."""
    if not runs:
        return "No runs match."
    lines = [_run_line(run) for run in runs]
    if more:
        lines.append(f"\nMore: `{more}`")
    return "\n".join(lines)


def _run_line(run: RunSummary) -> str:
    when = run.created_at[:16].replace("T", " ")
    confidence = "" if run.confidence is None else f" {run.confidence:.2f}"
    outcome = run.final_answer or run.synthesis
    arrow = f" → {one_line(outcome, 80)}" if outcome else ""
    line = f"- `{run.run_id}` {when} {run.status}{confidence}: {one_line(run.prompt, 80)}{arrow}"
    line = f"  {line}" if run.parent_run_id else line
    return f"{line} — next: `{run.next_step}`" if run.next_step else line


def exchanges_markdown(exchanges: Sequence[Exchange]) -> str:
    """What was said, call by call."""
    return "".join(
        f"\n\n### Iteration {e.iteration}, {e.role} {e.label} · {e.model}\n"
        f"{e.reply if e.reply is not None else f'({e.error})'}"
        for e in exchanges
    )


def verdicts_markdown(iterations: Sequence[tuple[int, Verdict]]) -> str:
    """Verdict by verdict."""
    return "".join(
        f"\n\n### Verdict of iteration {number} · confidence {verdict.confidence:.2f}\n"
        f"{verdict.synthesis}"
        for number, verdict in iterations
    )


def consortium_line(config: ConsortiumConfig) -> str:
    """A saved consortium on one line."""
    about = f" — {config.description}" if config.description else ""
    return (
        f"**{config.name}**: {', '.join(labelled(config))}; arbiter {config.arbiter}; "
        f"strategy {config.strategy}; threshold {config.confidence_threshold:g}; "
        f"{config.min_iterations} to {config.max_iterations} iterations{about}"
    )


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
