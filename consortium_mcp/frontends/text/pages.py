"""The sections of a run that a report omits, one page at a time.

A section can be very long, and clients cut or refuse long results. So it is read by character
offset; a text that does not fit on a page continues on the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from consortium_mcp.frontends.text.fitting import beginning, size
from consortium_mcp.frontends.text.report import report_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.records.run_record import IterationRecord
    from consortium_mcp.core.reports.report import RunReport


def page_markdown(found: Page, run_id: str, include: Sequence[str]) -> str:
    """A page of texts, and the call that gets the next one."""
    parts = [entries_markdown(found.entries) or "Nothing more."]
    if found.next_offset is not None:
        wanted = ", ".join(f'"{section}"' for section in include)
        call = f'get_run(run_id="{run_id}", include=[{wanted}], offset={found.next_offset})'
        parts.append(f"Next: `{call}` ({found.characters} characters in all)")
    return "\n\n".join(parts)


def entries_markdown(entries: Sequence[Entry]) -> str:
    """The texts, or the errors in their place, each below its heading."""
    return "\n\n".join(f"{e.heading}\n{e.text or f'({e.error})'}" for e in entries)


PAGE = 5_800
"""Characters of a page; with the start of the report and the next call it stays under 8,000."""
PAGE_BYTES = 12_000
"""Bytes of a page's texts as JSON, where characters take several."""
_ONE_CHARACTER = 20
"""Bytes that are enough for any."""
_LONGEST_ERROR = 1_000
"""Characters; the section `exchanges` has all of it."""
_SEPARATORS = 8
"""Characters between a heading and its text, and after it."""
Section = Literal["prompt", "synthesis", "report", "responses", "iterations", "exchanges", "fields"]


class Entry(BaseModel):
    """One thing that was said, or the part of it that stands on this page."""

    section: Section
    iteration: int | None
    role: Literal[
        "member", "arbiter", "reviewer", "verdict", "synthesis", "prompt", "report", "fields"
    ]
    label: str | None
    """The member's, also as a reviewer; `B on A` where it checked A's answer."""
    model: str | None
    text: str
    error: str | None = None
    """Why nothing was said."""

    @property
    def heading(self) -> str:
        """The Markdown heading above the text."""
        where = "" if self.iteration is None else f"Iteration {self.iteration}, "
        who = self.role if self.label is None else f"{self.role} {self.label}"
        return f"### {where}{who}" + (f" · {self.model}" if self.model else "")


class Page(BaseModel):
    """A page of the sections that were asked for."""

    entries: list[Entry]
    offset: int
    next_offset: int | None
    """Where the next page begins; `None` on the last."""
    characters: int
    """Of all pages."""


def page(entries: Sequence[Entry], offset: int, limit: int = PAGE) -> Page:
    """Cut one page out of the texts of all entries, as if they were joined.

    Args:
        entries: all entries, uncut.
        offset: where the page begins, in characters of text; an empty entry counts as one.
        limit: characters of the page, with headings and errors.
    """
    shown: list[Entry] = []
    place, following, room, bytes_left = 0, offset, limit, PAGE_BYTES
    for entry in entries:
        length = max(1, len(entry.text))
        begin = max(offset - place, 0)
        place += length
        if begin >= length:
            continue
        error = entry.error and entry.error[:_LONGEST_ERROR]
        empty = entry.model_copy(update={"text": "", "error": error})
        room -= len(entry.heading) + len(error or "") + _SEPARATORS
        bytes_left -= size(empty.model_dump(mode="json"))
        if (room <= 0 or bytes_left <= 0) and shown:
            break
        text = beginning(entry.text[begin : begin + max(room, 1)], max(bytes_left, _ONE_CHARACTER))
        taken = max(1, len(text))
        shown.append(empty.model_copy(update={"text": text}))
        room -= taken
        bytes_left -= size(text)
        following += taken
    total = sum(max(1, len(entry.text)) for entry in entries)
    return Page(
        entries=shown,
        offset=offset,
        next_offset=following if following < total else None,
        characters=total,
    )


def entries_of(
    sections: Sequence[Section],
    report: RunReport,
    iterations: Sequence[IterationRecord],
    exchanges: Sequence[Exchange],
) -> list[Entry]:
    """The entries of these sections, in the order given."""
    found: list[Entry] = []
    for section in sections:
        if section == "synthesis":
            found.append(_entry_of_report(section, report.synthesis or "", report.error))
        elif section == "prompt":
            found.append(_entry_of_report(section, report.prompt))
        elif section == "report":
            found.append(_entry_of_report(section, report_markdown(report, limit=None)))
        elif section == "fields":
            lines = [field.model_dump_json() for field in report.fields]
            found.append(_entry_of_report(section, "\n".join(lines)))
        elif section == "iterations":
            found += [_iteration_entry(it) for it in iterations]
        else:
            found += [
                exchange_entry(e, with_prompt=section == "exchanges")
                for e in exchanges
                if section == "exchanges" or e.role == "member"
            ]
    return found


def _entry_of_report(
    section: Literal["prompt", "synthesis", "report", "fields"], text: str, error: str | None = None
) -> Entry:
    return Entry(
        section=section,
        iteration=None,
        role=section,
        label=None,
        model=None,
        text=text,
        error=error,
    )


def exchange_entry(exchange: Exchange, *, with_prompt: bool) -> Entry:
    """One call: the reply, and with `with_prompt` also the system prompt and the prompt."""
    text = exchange.reply or ""
    if with_prompt:
        system = f"System:\n{exchange.system}\n\n" if exchange.system else ""
        text = f"{system}Prompt:\n{exchange.prompt}\n\nReply:\n{exchange.reply or exchange.error}"
    return Entry(
        section="exchanges" if with_prompt else "responses",
        iteration=exchange.iteration,
        role=exchange.role,
        label=None if exchange.role == "arbiter" else exchange.label,
        model=exchange.model,
        text=text,
        error=exchange.error,
    )


def _iteration_entry(iteration: IterationRecord) -> Entry:
    verdict = iteration.verdict
    if verdict is None:
        text = "no verdict yet"
    else:
        sides = "".join(f"\n\nDissent: {side.argument}" for side in verdict.dissent)
        open_points = "".join(f"\n\nStill open: {line}" for line in verdict.refinements)
        text = f"Confidence {verdict.confidence:.2f}\n\n{verdict.synthesis}{sides}{open_points}"
    return Entry(
        section="iterations",
        iteration=iteration.number,
        role="verdict",
        label=None,
        model=verdict.arbiter if verdict else None,
        text=text,
    )
