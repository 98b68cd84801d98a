"""A report as a person reads it: the answer, how sure it is and why, who said what, the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.terminal.columns import Cell, Column
from consortium_mcp.frontends.text.confidence import confidence_sentence
from consortium_mcp.frontends.text.phrases import cost, dollars, moment, one_line
from consortium_mcp.frontends.text.report import (
    attached_line,
    how_it_went,
    members_title,
    notices,
    plan_line,
    report_sections,
    shown_answer,
)

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import MemberReport, RunReport
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.frontends.terminal.screen import Screen

SURE, UNSURE = 0.8, 0.5
"""From here on a confidence is green; below this, red."""
LONGEST = 400
"""Characters of a member's short answer or error."""
_STATUS_STYLES = {
    "completed": "green",
    "degraded": "yellow",
    "failed": "red",
    "cancelled": "yellow",
    "interrupted": "yellow",
    "working": "cyan",
}
_SECTION_STYLES = {"Warnings": "yellow"}
_COLUMNS = (
    Column("", style="bold"),
    Column("model"),
    Column("stands"),
    Column("answer", folds=True),
    Column("stated", right=True, spare=True),
    Column("time", right=True),
    Column("cost", right=True, spare=True),
    Column("run", spare=True, style="dim"),
)


def status_cell(status: str) -> Cell:
    """A status in its colour."""
    return Cell(status, _STATUS_STYLES.get(status, ""))


def confidence_style(confidence: float | None) -> str:
    """The colour of a confidence."""
    if confidence is None:
        return "dim"
    return "green" if confidence >= SURE else "yellow" if confidence >= UNSURE else "red"


def confidence_cell(report: RunReport) -> Cell:
    """The number, and why in a sentence."""
    sentence = confidence_sentence(report)
    if report.confidence is None:
        return Cell(sentence, "dim")
    said = f"{report.confidence:.2f}: {sentence}"
    return Cell(said, confidence_style(report.confidence))


def show_confidence(screen: Screen, report: RunReport) -> None:
    """Draw how sure an answer is and why, and what to know of it, beside the answer itself."""
    answered = f"{report.answered} of {report.asked} answered"
    took = "" if report.usage.seconds is None else f" in {report.usage.seconds:.1f} s"
    price = f", {paid}" if (paid := cost(report.usage)) else ""
    screen.line(f"{answered}{took}, {report.usage.calls} calls{price} · run {report.run_id}", "dim")
    number = "" if report.confidence is None else f" {report.confidence:.2f}"
    style = confidence_style(report.confidence)
    screen.line(f"Confidence{number}: {confidence_sentence(report)}", style)
    for warning in report.warnings:
        screen.line(f"Note: {warning}", "yellow")
    screen.line()


def show_report(screen: Screen, report: RunReport) -> None:
    """Draw the report of a run, or of a dry run.

    Args:
        screen: where.
        report: its next step is already a command, see `history.for_terminal`.
    """
    for line in notices(report):
        screen.line(line, _STATUS_STYLES.get(report.status, ""))
        screen.line()
    if report.synthesis is not None:
        screen.prose(report.synthesis)
        screen.line()
        answer = shown_answer(report)
        screen.facts(
            [
                *([("Answer", Cell(answer, "bold"))] if answer else []),
                ("Confidence", confidence_cell(report)),
            ]
        )
    for line in (*attached_line(report.attachments), *plan_line(report)):
        screen.line(line)
    show_members(screen, report)
    for title, lines in report_sections(report).items():
        if lines:
            screen.line()
            screen.heading(title)
            for line in lines:
                screen.bullet(line.removeprefix("- "), _SECTION_STYLES.get(title, ""))
    screen.line()
    screen.line(_footer(report), "dim")
    if report.next_step:
        screen.line(f"Next: **{report.next_step}**")


def _footer(report: RunReport) -> str:
    run = f" · run {report.run_id}" if report.run_id else ""
    return f"{how_it_went(report)} · {moment(report.created_at, None)}{run}"


def show_members(screen: Screen, report: RunReport) -> None:
    """Draw who was asked, and where each one stands."""
    rows = [_row(member) for member in report.members]
    screen.line()
    screen.heading(members_title(report))
    screen.table(_COLUMNS, rows)


def _row(member: MemberReport) -> Row:
    said = Cell(member.final_answer or "–") if member.status == "answered" else Cell("")
    if member.status == "spared":
        said = Cell("the others had settled it", "dim")
    elif member.error:
        said = Cell(one_line(member.error, LONGEST), "red" if member.status == "failed" else "dim")
    return (
        member.label,
        member.model,
        _stands(member),
        said._replace(text=one_line(said.text, LONGEST)),
        "" if member.stated_confidence is None else f"{member.stated_confidence:.2f}",
        "" if member.seconds is None else f"{member.seconds:.1f} s",
        "" if member.cost_usd is None else dollars(member.cost_usd),
        member.nested_run_id or "",
    )


def _stands(member: MemberReport) -> Cell:
    """Where the member stands to the synthesis, or why it gave no answer."""
    if member.status == "answered":
        views = {True: Cell("supports", "green"), False: Cell("disagrees", "yellow")}
        return Cell("answered") if member.supports is None else views[member.supports]
    others = {"spared": Cell("not asked", "dim"), "failed": Cell("failed", "red")}
    return others.get(member.status, Cell(member.status, "dim"))
