"""A run as one line of a list, and the query for such a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.domain.text import has_terms, search_terms
from consortium_mcp.core.reports.next_steps import next_step_of

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import RunReport

MOST_LISTED = 100
"""The most runs on one page."""


@dataclass(frozen=True)
class RunQuery:
    """A query for one page of past runs.

    Raises:
        ConfigError: the limit or the cursor is invalid.
    """

    limit: int = 20
    cursor: str | None = None
    """The `next_cursor` of the previous page."""
    words: str | None = None
    """Words, parts of words and "phrases" that prompt and synthesis must contain, in any order."""
    status: str | None = None
    consortium: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_LISTED:
            raise ConfigError(f"limit is {self.limit}; it must be between 1 and {MOST_LISTED}.")
        if self.cursor is not None and not re.fullmatch(r"p?m?[0-9]{1,18}", self.cursor):
            raise ConfigError(
                f"{self.cursor!r} is not a cursor. Pass the next_cursor of the page before, or "
                "leave it out."
            )

    @property
    def terms(self) -> list[str]:
        """What is searched for; empty where no words are given, or nothing that can be found."""
        return search_terms(self.words or "")

    def matches(self, report: RunReport) -> bool:
        """Whether a run that is in no database matches this query."""
        text = f"{report.prompt}\n{report.synthesis or ''}"
        return (
            self.status in {None, report.status}
            and self.consortium in {None, report.consortium}
            and (not (self.words or "").strip() or has_terms(text, self.terms))
        )


@dataclass(frozen=True)
class RunPage:
    """One page of a list of runs."""

    runs: list[RunSummary]
    next_cursor: str | None
    """Gets the next page; `None` on the last."""
    notes: list[str]
    """What the reader should know about runs that are not in it, such as where they are now."""


EXCERPT = 300
"""Characters of a prompt or synthesis that a list shows."""


class RunSummary(BaseModel):
    """A run as one line of a list."""

    run_id: str
    status: Status
    prompt: str
    """Cut where it is long."""
    synthesis: str | None
    """Cut where it is long."""
    final_answer: str | None
    confidence: float | None
    agreement: float | None
    consortium: str | None
    strategy: str
    created_at: str
    ended_at: str | None
    parent_run_id: str | None = None
    """Where this run is nested: the run that called it."""
    calls: int = 0
    cost_usd: float | None = None
    """An estimate in US dollars for the calls whose price is known; `None` where none is."""
    priced_calls: int = 0
    """How many of the calls those are."""
    next_step: str | None = None
    """The tool call to make next, where one is useful."""

    @classmethod
    def of_report(cls, report: RunReport) -> Self:
        """The summary of a run that is in no database."""
        values = report.model_dump()
        return cls.of_row(values | values["usage"] | {"ended_at": None})

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """The summary of a database row; long texts are cut."""
        row = {name: value for name, value in row.items() if name in cls.model_fields}
        row["next_step"] = next_step_of(row["run_id"], row["status"], row["parent_run_id"])
        return cls.model_validate(row).shortened(EXCERPT)

    def shortened(self, limit: int) -> Self:
        """This run with a prompt and a synthesis of at most so many characters."""
        return self.model_copy(
            update={
                field: text[: limit - 1] + "…"
                for field in ("prompt", "synthesis", "final_answer")
                if (text := getattr(self, field)) is not None and len(text) > limit
            }
        )


CostsBy = Literal["month", "consortium", "model", "client"]
"""What costs are added up for; months are those of UTC."""


class CostLine(BaseModel):
    """What all calls of a month, consortium, model or client have cost."""

    name: str | None
    """`None` for panels that were not saved, and for clients that are not known."""
    calls: int
    priced_calls: int
    """How many of the calls have a known price."""
    cost_usd: float | None
    """An estimate in US dollars for these; `None` where there are none."""


@dataclass(frozen=True)
class Costs:
    """What the recorded calls have cost."""

    lines: list[CostLine]
    """Months from the first to the last, all others from the dearest to the cheapest."""

    @property
    def total(self) -> CostLine:
        """All of them together."""
        known = [line.cost_usd for line in self.lines if line.cost_usd is not None]
        return CostLine(
            name=None,
            calls=sum(line.calls for line in self.lines),
            priced_calls=sum(line.priced_calls for line in self.lines),
            cost_usd=sum(known) if known else None,
        )
