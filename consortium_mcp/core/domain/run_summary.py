"""A run as a line of a list."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel

from consortium_mcp.core.domain.report import RunReport, next_step_of
from consortium_mcp.core.domain.run import Status

EXCERPT = 300
"""Characters of a prompt or synthesis that a list shows."""


class RunSummary(BaseModel):
    """A run as a line of a list."""

    run_id: str
    status: Status
    prompt: str
    """Its beginning."""
    synthesis: str | None
    """Its beginning."""
    final_answer: str | None
    confidence: float | None
    agreement: float | None
    consortium: str | None
    strategy: str
    created_at: str
    ended_at: str | None
    parent_run_id: str | None = None
    """The run that this one answers a call of, where it is nested."""
    next_step: str | None = None
    """The call to make next, where one is useful."""

    @classmethod
    def of_report(cls, report: RunReport) -> Self:
        """The line of a run that stands in no row."""
        return cls.of_row(report.model_dump() | {"ended_at": None})

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """Build one from a database row, its long texts cut."""
        row = {name: value for name, value in row.items() if name in cls.model_fields}
        for field in ("prompt", "synthesis"):
            if row[field] is not None and len(row[field]) > EXCERPT:
                row[field] = row[field][: EXCERPT - 1] + "…"
        row["next_step"] = next_step_of(row["run_id"], row["status"], row["parent_run_id"])
        return cls.model_validate(row)
