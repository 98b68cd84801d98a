"""Format a report as Markdown, for every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.text.confidence import confidence_sentence
from consortium_mcp.frontends.text.fields import field_lines
from consortium_mcp.frontends.text.phrases import (
    cost,
    cost_range,
    dollars,
    duration,
    rating_sentence,
    seconds,
    times,
    tokens,
)
from consortium_mcp.frontends.text.reviews import review_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.verdict import Dissent
    from consortium_mcp.core.reports.report import AttachmentReport, MemberReport, Plan, RunReport

_HEADLINES = {
    "planned": "A plan. No model was called",
    "working": "Still working",
    "failed": "The consultation failed",
    "cancelled": "The consultation was cancelled",
    "interrupted": "The consultation was interrupted",
}
MAX_TEXT = 8_000
"""Characters of a report in a tool's result: about 2,000 tokens of the reader's context."""
KEPT_FOR_SECTIONS = 1_000
"""Characters reserved for warnings and dissent if the synthesis must be cut."""
_CUT_LAST = ("Warnings", "Dissent", "Still open")
MOST_ATTACHED = 10
"""Attachments that are named."""
LONGEST_LINE = 600
"""Characters of one line of a section, if there is a limit."""


def report_markdown(report: RunReport, limit: int | None = MAX_TEXT) -> str:
    """The report: synthesis, confidence, members, dissent, cost.

    Args:
        report: the report of a run.
        limit: characters; `None` for no limit. The synthesis is cut only if it alone is too long;
            of the sections, warnings and dissent are cut last. A cut is marked, with the call that
            gets the rest.
    """
    footer = _footer(report)
    room = limit - len(footer) if limit is not None else None
    head = _head(report, room)
    members = [_member(member) for member in report.members]
    sections = {members_title(report): members, **report_sections(report)}
    if room is not None:
        sections = _fit(sections, room - len("\n\n".join(head)), report)
    shown = [f"### {title}\n" + "\n".join(lines) for title, lines in sections.items() if lines]
    return "\n\n".join([*head, *shown, footer])


def members_title(report: RunReport) -> str:
    """The heading above the members."""
    return f"Members ({report.answered} of {report.asked} answered)"


def report_sections(report: RunReport) -> dict[str, list[str]]:
    """What follows the members, as lists by heading; some are empty."""
    return {
        "Reviews": review_lines(report.review) if report.review else [],
        "Fields": field_lines(report.fields),
        "Dissent": [] if report.fields else [_dissent(side) for side in report.dissent],
        "Still open": [f"- {line}" for line in report.refinements],
        "Tools": [f"- {tool.name}: {times(tool.calls)}" for tool in report.tools],
        "Warnings": [f"- {line}" for line in report.warnings],
    }


def _head(report: RunReport, room: int | None) -> list[str]:
    parts = notices(report, room)
    attached = attached_line(report.attachments)
    if report.synthesis is not None:
        answer = shown_answer(report)
        below = [f"**Answer:** {_short(answer, room, report)}"] if answer else []
        below += [_confidence(report), *attached]
        left = None if room is None else room - len("\n\n".join([*parts, *below])) - 200
        parts += [_synthesis(report, left), *below]
    else:
        parts += attached
    if report.ratings:
        parts.append(f"**Rating:** {rating_sentence(report.ratings)}")
    return [*parts, *plan_line(report)]


def shown_answer(report: RunReport) -> str | None:
    """The short answer, where the synthesis says more than it."""
    answer = report.final_answer
    return answer if answer and answer != report.synthesis else None


def notices(report: RunReport, room: int | None = None) -> list[str]:
    """What to know before the answer: how the run ended, or that it was not asked anew."""
    parts: list[str] = []
    if report.status in _HEADLINES:
        error = _short(report.error or "", room, report)
        parts.append(f"**{_HEADLINES[report.status]}.** {error}".strip())
    if report.joined:
        parts.append(
            "**Joined.** This question was being answered already, so this call began no second "
            "run: it is paid for once."
        )
    if report.age_seconds is not None:
        parts.append(
            f"**Not asked anew.** This is the answer of an earlier run, which ended "
            f"{duration(report.age_seconds)} ago; `reuse` allows that, and no model was called."
        )
    return parts


def plan_line(report: RunReport) -> list[str]:
    """What a dry run would do and cost; nothing of a run."""
    plan = report.plan
    if plan is None:
        return []
    price = f"; {range_}" if (range_ := cost_range(plan)) else ""
    line = (
        f"{plan.fewest_calls} to {plan.most_calls} calls{_kinds(plan)}, retries not counted; "
        f"about {plan.estimated_input_tokens} input tokens in the first iteration, without the "
        f"members' answers{price}."
    )
    return [line]


def attached_line(attachments: Sequence[AttachmentReport]) -> list[str]:
    """The line that says what the question was about; none where nothing was attached."""
    if not attachments:
        return []
    more = len(attachments) - MOST_ATTACHED
    names = ", ".join(_attachment(each) for each in attachments[:MOST_ATTACHED])
    return [f"Attached: {names}{f' and {more} more' if more > 0 else ''}"]


def _attachment(attachment: AttachmentReport) -> str:
    size = "" if attachment.bytes is None else f", {attachment.bytes:,} bytes"
    return f"{attachment.name[:60]} ({attachment.type[:60]}{size})"


def _kinds(plan: Plan) -> str:
    """What the calls are for, as ` (3 to 9 answers, 3 to 9 reviews, 1 to 6 verdicts)`."""
    kinds = [
        f"{fewest} to {most} {kind}" if fewest < most else f"{most} {kind}"
        for kind, (fewest, most) in plan.calls.items()
        if most
    ]
    return f" ({', '.join(kinds)})" if len(kinds) > 1 else ""


def _short(text: str, room: int | None, report: RunReport) -> str:
    """The text, cut to the length of a line if there is a limit."""
    if room is None or len(text) <= LONGEST_LINE:
        return text
    return f"{text[: LONGEST_LINE - 1]}… more: `{_whole_report(report)}`"


def _whole_report(report: RunReport) -> str:
    return f'get_run(run_id="{report.run_id}", include=["report"])'


def _synthesis(report: RunReport, room: int | None) -> str:
    """The synthesis, cut if it is longer than `room`."""
    synthesis = report.synthesis or ""
    if room is None or len(synthesis) <= room:
        return synthesis
    room -= KEPT_FOR_SECTIONS
    left = len(synthesis) - room
    rest = f'get_run(run_id="{report.run_id}", include=["synthesis"], offset={room})'
    return f"{synthesis[:room]}\n\n[… {left} characters more: `{rest}`]"


def _fit(sections: dict[str, list[str]], room: int, report: RunReport) -> dict[str, list[str]]:
    """As many lines of each section as fit, the most important sections first."""
    more = f"- … more: `{_whole_report(report)}`"
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
    number = "" if report.confidence is None else f" {report.confidence:.2f}"
    return f"**Confidence{number}**: {confidence_sentence(report)}"


def _member(member: MemberReport) -> str:
    answer = f"“{member.final_answer}”" if member.final_answer else "no short answer"
    if member.status == "spared":
        return f"- {member.label} · {member.model}: not asked, because the others had settled it"
    if member.status == "waiting":
        return f"- {member.label} · {member.model}"
    if member.status != "answered":
        return f"- {member.label} · {member.model}: {member.status} ({member.error})"
    stands = {True: "supports", False: "disagrees", None: "answered"}[member.supports]
    stated = "" if member.stated_confidence is None else f", stated {member.stated_confidence:.2f}"
    run = f" (run {member.nested_run_id})" if member.nested_run_id else ""
    price = "" if member.cost_usd is None else f", {dollars(member.cost_usd)}"
    took = f"{seconds(member)}{price}"
    return f"- {member.label} · {member.model}{run}: {stands}, {answer}{stated}, {took}"


def _footer(report: RunReport) -> str:
    resource = f" · {report.resource}" if report.resource else ""
    line = f"_{how_it_went(report)}{resource}_"
    return f"{line}\n\nNext: `{report.next_step}`" if report.next_step else line


def how_it_went(report: RunReport) -> str:
    """Status, strategy, arbiter, iterations, calls, cost and time, on one line."""
    iterations = f"{report.iterations} iteration{'' if report.iterations == 1 else 's'}"
    stop = f", stopped by {report.stop_reason}" if report.stop_reason else ""
    took = "" if report.usage.seconds is None else f", {report.usage.seconds:.1f} s"
    price = f", {paid}" if (paid := cost(report.usage)) else ""
    return (
        f"{report.status} · strategy {report.strategy} · arbiter {report.arbiter} · "
        f"{iterations}{stop} · {report.usage.calls} calls, {tokens(report)}{price}{took}"
    )
