"""A report as a person would like to read it. Text only; used by every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.report import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.models import ConsortiumConfig, Dissent
    from consortium_mcp.core.report import MemberReport, RunReport, RunSummary
    from consortium_mcp.frontends.pages import Entry, Page

_HEADLINES = {
    "planned": "A plan; nothing has been called",
    "working": "Still working",
    "failed": "The consultation failed",
    "cancelled": "The consultation was cancelled",
    "interrupted": "The consultation was interrupted",
}


MAX_TEXT = 8_000
"""Characters of a report in a tool's result: about 2,000 tokens of the reader's context."""
KEPT_FOR_SECTIONS = 1_000
"""Characters left for warnings and dissent where the synthesis must be cut anyway."""
_CUT_LAST = ("Warnings", "Dissent", "To look at again")
LONGEST_LINE = 600
"""Characters of one line of a section where there is a limit."""


def report_markdown(report: RunReport, limit: int | None = MAX_TEXT) -> str:
    """The report: synthesis first, then how much it is worth, who disagreed, what it cost.

    Args:
        report: the run's.
        limit: characters; no limit where `None`. The synthesis is whole unless it alone is longer;
            of the sections, warnings and dissent are cut last. What is cut is said, and how to get
            at it.
    """
    footer = _footer(report)
    room = limit - len(footer) if limit is not None else None
    head = _head(report, room)
    sections = {
        f"Members ({report.answered} of {report.asked} answered)": [
            _member(member) for member in report.members
        ],
        "Dissent": [_dissent(side) for side in report.dissent],
        "To look at again": [f"- {line}" for line in report.refinements],
        "Warnings": [f"- {line}" for line in report.warnings],
    }
    if room is not None:
        sections = _fitted(sections, room - len("\n\n".join(head)), report)
    shown = [f"### {title}\n" + "\n".join(lines) for title, lines in sections.items() if lines]
    return "\n\n".join([*head, *shown, footer])


def _head(report: RunReport, room: int | None) -> list[str]:
    parts: list[str] = []
    if report.status in _HEADLINES:
        parts.append(f"**{_HEADLINES[report.status]}.** {report.error or ''}".strip())
    if report.synthesis is not None:
        answer = report.final_answer
        told = [f"**Answer:** {answer}"] if answer and answer != report.synthesis else []
        told.append(_confidence(report))
        left = None if room is None else room - len("\n\n".join([*parts, *told])) - 200
        parts += [_whole_or_cut(report, left), *told]
    if report.plan is not None:
        plan = report.plan
        parts.append(
            f"{plan.fewest_calls} to {plan.most_calls} calls, retries not counted; about "
            f"{plan.estimated_input_tokens} input tokens in the first iteration, members' answers "
            "not counted."
        )
    return parts


def _whole_or_cut(report: RunReport, room: int | None) -> str:
    synthesis = report.synthesis or ""
    if room is None or len(synthesis) <= room:
        return synthesis
    room -= KEPT_FOR_SECTIONS
    left = len(synthesis) - room
    rest = f'get_run(run_id="{report.run_id}", include=["synthesis"], offset={room})'
    return f"{synthesis[:room]}\n\n[… {left} characters more: `{rest}`]"


def _fitted(sections: dict[str, list[str]], room: int, report: RunReport) -> dict[str, list[str]]:
    """As many lines of each section as there is room for, the more important sections first."""
    more = f'- … more: `get_run(run_id="{report.run_id}", include=["iterations"])`'
    fitted: dict[str, list[str]] = {title: [] for title in sections}
    for title in sorted(sections, key=lambda t: _CUT_LAST.index(t) if t in _CUT_LAST else 9):
        lines = [
            line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
            for line in sections[title]
        ]
        left = room - len(f"\n\n### {title}")
        kept = list(lines)
        if sum(len(line) + 1 for line in lines) > left:
            left -= len(more) + 1
            while kept and sum(len(line) + 1 for line in kept) > left:
                kept.pop()
            kept.append(more)
        if left >= 0:
            fitted[title] = kept
            room = left - sum(len(line) + 1 for line in kept if line != more)
    return fitted


def _dissent(side: Dissent) -> str:
    who = ", ".join(side.labels) or "Open"
    answer = f" ({side.final_answer})" if side.final_answer else ""
    return f"- {who}{answer}: {side.argument}"


def _confidence(report: RunReport) -> str:
    parts = report.confidence_parts
    if report.confidence is None or parts is None:
        return "**Confidence:** none could be computed."
    stated = "nobody stated any" if parts.mean_stated is None else f"{parts.mean_stated:.2f}"
    said = parts.arbiter_confidence
    arbiter = "" if said is None else f", arbiter says {said:.2f}"
    abstained = f", {parts.abstentions} without a short answer" if parts.abstentions else ""
    joined = ", some joined by the arbiter" if parts.grouped_by == "arbiter" else ""
    return (
        f"**Confidence {report.confidence:.2f}** — agreement {parts.agreement:.2f} of "
        f"{parts.votes} votes ({parts.distinct_answers} distinct{joined}{abstained}), mean stated "
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
    run = f" (run {member.nested_run_id})" if member.nested_run_id else ""
    return f"- {member.label} · {member.model}{run}: {stands}, {answer}{stated}, {seconds(member)}"


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
    depths: dict[str | None, int] = {}
    for run in runs:
        depths[run.run_id] = depths.get(run.parent_run_id, 0) + 1 if run.parent_run_id else 0
    lines = ["  " * depths[run.run_id] + _run_line(run) for run in runs]
    if more:
        lines.append(f"\nMore: `{more}`")
    return "\n".join(lines)


def _run_line(run: RunSummary) -> str:
    when = run.created_at[:16].replace("T", " ")
    confidence = "" if run.confidence is None else f" {run.confidence:.2f}"
    outcome = run.final_answer or run.synthesis
    arrow = f" → {one_line(outcome, 80)}" if outcome else ""
    line = f"- `{run.run_id}` {when} {run.status}{confidence}: {one_line(run.prompt, 80)}{arrow}"
    return f"{line} — next: `{run.next_step}`" if run.next_step else line


def page_markdown(found: Page, run_id: str, include: Sequence[str]) -> str:
    """A page of what was said, and how to ask for the next."""
    parts = [entries_markdown(found.entries) or "Nothing more."]
    if found.next_offset is not None:
        wanted = ", ".join(f'"{section}"' for section in include)
        call = f'get_run(run_id="{run_id}", include=[{wanted}], offset={found.next_offset})'
        parts.append(f"Next: `{call}` ({found.characters} characters in all)")
    return "\n\n".join(parts)


def entries_markdown(entries: Sequence[Entry]) -> str:
    """All that was said, call by call."""
    return "\n\n".join(f"{e.heading}\n{e.text or f'({e.error})'}" for e in entries)


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
