"""What the MCP tools return besides a run report, as clients can validate it."""

from __future__ import annotations

from pydantic import BaseModel

from consortium_mcp.core.exchange import Exchange
from consortium_mcp.core.models import ConsortiumConfig, Verdict
from consortium_mcp.core.report import RunReport, RunSummary


class NumberedVerdict(BaseModel):
    """An iteration's verdict."""

    number: int
    verdict: Verdict


class Included(BaseModel):
    """The sections that `get_run` was asked to include."""

    responses: list[Exchange] | None = None
    iterations: list[NumberedVerdict] | None = None
    exchanges: list[Exchange] | None = None


class FullReport(RunReport):
    """A run report with what was asked for besides."""

    included: Included | None = None


class SavedConsortium(BaseModel):
    """What was saved, and what its user should know."""

    consortium: ConsortiumConfig
    warnings: list[str]


class RunList(BaseModel):
    """A page of runs."""

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
