"""What the MCP tools return besides a run report, as clients can validate it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.domain.verdict import Dissent
from consortium_mcp.core.records.run_summary import RunSummary
from consortium_mcp.core.reports.report import MemberReport, RunReport, Usage
from consortium_mcp.frontends.text.pages import Page


class StatusOutline(BaseModel):
    """A run report as the schemas of further tools tell it.

    The rest of the report comes as well; `consult_consortium` describes it.
    """

    model_config = ConfigDict(extra="allow")

    status: Status


class ConsultOutline(StatusOutline):
    """A run report as the schema of `consult_consortium` tells it.

    Its other fields come as well, and speak for themselves; docs/tools.md describes them all.
    """

    run_id: str | None
    synthesis: str | None
    confidence: float | None
    warnings: list[str]
    next_step: str | None
    final_answer: str | None
    agreement: float | None
    dissent: list[Dissent]
    members: list[MemberReport]
    usage: Usage


class FullReport(RunReport):
    """A run report as it is sent, with what was asked for besides.

    Of its prompt only the beginning comes back.
    """

    left_out: list[str] = Field(default_factory=list)
    """What was cut, and how to get it; only where something was. Other tools' results may have it
    too."""

    included: Page | None = None
    """The page of the sections in `include`; `null` where none was asked for."""


class FullOutline(StatusOutline):
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
    """The saved consortiums."""

    consortiums: list[ConsortiumConfig]


class Deleted(BaseModel):
    """What is gone, and what its user should know."""

    deleted: str
    warnings: list[str]


class ModelInfo(BaseModel):
    """One model, and whether it can be called."""

    id: str
    aliases: list[str]
    provider: str
    ready: bool
    missing: str | None
    """Why it cannot be called, with the remedy, told once: of the next models that lack the same,
    it is `the same as` the first."""
    demo: bool


class ModelList(BaseModel):
    """Models, and the plugins that failed to list theirs."""

    models: list[ModelInfo]
    plugin_errors: dict[str, str]
    more: int = 0
    """Models that match as well; a longer `query` shows them."""
    remedy: str | None = None
    """How to get the models that were asked for and are not here."""
