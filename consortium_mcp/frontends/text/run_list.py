"""Format a list of past runs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from consortium_mcp.frontends.text.phrases import cost, moment, one_line

if TYPE_CHECKING:
    from datetime import tzinfo

    from consortium_mcp.core.records.run_summary import RunPage, RunSummary


def runs_markdown(page: RunPage, more: str | None, zone: tzinfo | None = UTC) -> str:
    """A page of runs as a Markdown list, nested runs indented, and its notes.

    Args:
        page: the page.
        more: the call that gets the next page; `None` on the last.
        zone: the reader's time zone; `None` for that of this machine.
    """
    depths: dict[str | None, int] = {}
    for run in page.runs:
        depths[run.run_id] = depths.get(run.parent_run_id, 0) + 1 if run.parent_run_id else 0
    lines = ["  " * depths[run.run_id] + _run_line(run, zone) for run in page.runs]
    lines = lines or ["No runs match."]
    if more:
        lines.append(f"\nMore: `{more}`")
    lines += [f"\nNote: {note}" for note in page.notes]
    return "\n".join(lines)


def _run_line(run: RunSummary, zone: tzinfo | None) -> str:
    when = moment(run.created_at, zone)
    confidence = "" if run.confidence is None else f" {run.confidence:.2f}"
    outcome = run.final_answer or run.synthesis
    arrow = f" → {one_line(outcome, 80)}" if outcome else ""
    price = f" {paid}" if (paid := cost(run)) else ""
    stands = f"{run.status}{confidence}{price}"
    line = f"- `{run.run_id}` {when} {stands}: {one_line(run.prompt, 80)}{arrow}"
    return f"{line} — next: `{run.next_step}`" if run.next_step else line
