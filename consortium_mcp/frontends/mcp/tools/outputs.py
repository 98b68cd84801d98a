"""What the MCP tools return besides a run report, as clients can validate it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.report import RunReport
from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.domain.run_summary import RunSummary
from consortium_mcp.frontends.text.pages import Page


class ReportOutline(BaseModel):
    """A run report as the schemas of further tools tell it: what one looks at first.

    The rest of it comes as well; `consult_consortium` describes it.
    """

    model_config = ConfigDict(extra="allow")

    run_id: str | None
    status: Status
    synthesis: str | None
    confidence: float | None
    warnings: list[str]
    next_step: str | None


class FullReport(RunReport):
    """A run report with what was asked for besides."""

    included: Page | None = None
    """The page of the sections in `include`; `null` where none was asked for."""


class FullOutline(ReportOutline):
    """The same with what was asked for besides."""

    included: Page | None


class SavedConsortium(BaseModel):
    """What was saved, and what its user should know."""

    consortium: ConsortiumConfig
    warnings: list[str]


class RunList(BaseModel):
    """A page of runs, with `warnings` about those that are not in it."""

    model_config = ConfigDict(extra="allow")

    runs: list[RunSummary]
    next_cursor: str | None


class ConsortiumList(BaseModel):
    """Every saved consortium."""

    consortiums: list[ConsortiumConfig]


class Deleted(BaseModel):
    """What is gone."""

    deleted: str


class ModelInfo(BaseModel):
    """One model, and whether it can be called."""

    id: str
    aliases: list[str]
    provider: str
    ready: bool
    missing: str | None
    demo: bool


class ModelList(BaseModel):
    """Models, and the plugins that failed to list theirs."""

    models: list[ModelInfo]
    plugin_errors: dict[str, str]
    more: int = 0
    """Models that match as well; a longer `query` shows them."""
