"""The run report, computed from a `Run` and shared by all front ends. `None` means absent."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from consortium_mcp.core.domain.run import Status, StopReason
from consortium_mcp.core.domain.verdict import (
    ConfidenceParts,
    Dissent,
    FieldOutcome,
    PeerReview,
)
from consortium_mcp.core.reports.rating import Rating


class MemberReport(BaseModel):
    """One member, as it stood in the iteration whose verdict is reported."""

    label: str
    model: str
    status: str
    """`answered`, `failed`, `cut`, `waiting` (no response yet), or `spared` (not asked, because
    the others had settled the answer)."""
    final_answer: str | None = None
    stated_confidence: float | None = None
    supports: bool | None = None
    """Whether the synthesis is based on this member's answer; `None` without a verdict."""
    error: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    """An estimate in US dollars; `None` where the price is not known."""
    nested_run_id: str | None = None
    """The member's own run, where the member is a consortium."""


MAX_SHOWN_NAME = 200
"""Characters of an attachment's name or address."""


class AttachmentReport(BaseModel):
    """What the question was about besides its prompt."""

    name: str
    """Of a web address, its beginning."""
    type: str
    """MIME type."""
    bytes: int | None
    """`None` for a web address, which the providers fetch."""
    sha256: str | None


class ToolReport(BaseModel):
    """A tool that members used on the way."""

    name: str
    calls: int
    """How often, by all members together."""


class Usage(BaseModel):
    """What the run cost so far, every call that was made counted, retries included."""

    calls: int
    input_tokens: int | None
    """Summed over the calls that reported any; `None` where none did."""
    output_tokens: int | None
    cached_tokens: int | None = None
    """Those of the input that the providers had in their caches; `None` where none said so."""
    cost_usd: float | None = None
    """An estimate in US dollars for the calls whose price is known; `None` where none is."""
    priced_calls: int = 0
    """How many of the calls those are."""
    seconds: float | None
    """Wall time from the start to the end of the run."""


class Plan(BaseModel):
    """Who would be asked, and the bounds of what that costs."""

    fewest_calls: int
    most_calls: int
    """At most `max_calls`; where that is not set, retries of failed calls are extra."""
    calls: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """What the calls are for (`answers`, `reviews`, `verdicts`): the fewest and the most of each.
    Calls that a nested consortium makes are not told apart here."""
    estimated_input_tokens: int
    """Of the first question to each member; the length of the answers is not known yet."""
    least_cost_usd: float | None = None
    """An estimate in US dollars of the calls whose price is known; `None` where none is. So is
    `most_cost_usd`, which `max_cost` bounds."""
    most_cost_usd: float | None = None
    priced_calls: int = 0
    """Of the most calls, those whose price is known."""


class RunReport(BaseModel):
    """What a consultation came to."""

    run_id: str | None
    """`None` for a plan: nothing has run."""
    status: Status
    prompt: str
    synthesis: str | None
    final_answer: str | None
    confidence: float | None
    agreement: float | None
    arbiter_confidence: float | None
    confidence_parts: ConfidenceParts | None
    dissent: list[Dissent]
    refinements: list[str]
    review: PeerReview | None = None
    """What members made of each other's answers, in `council` and `verify`."""
    data: dict[str, Any] | None = None
    """The object, where a schema was given."""
    fields: list[FieldOutcome] = []
    """Its leaves, each with the votes for it."""
    iterations: int
    reported_iteration: int | None
    """The iteration whose verdict this is: the best, not always the last."""
    stop_reason: StopReason | None
    consortium: str | None
    strategy: str
    arbiter: str
    members: list[MemberReport]
    answered: int
    """Members that answered in the reported iteration, out of `asked`."""
    asked: int
    """Members without the spared ones."""
    attachments: list[AttachmentReport] = []
    tools: list[ToolReport] = []
    usage: Usage
    plan: Plan | None = None
    """What a dry run would cost."""
    continues: str | None = None
    """The id of the run that this one continues."""
    parent_run_id: str | None = None
    """Where this run is nested: the run that called it."""
    joined: bool = False
    """Whether this call joined a run that another had begun, instead of paying for a second."""
    age_seconds: float | None = None
    """How long ago the run had ended, where `reuse` returned it; `None` where it was not reused."""
    ratings: list[Rating] = []
    """What was said of the answer, oldest first; the newest counts."""
    error: str | None = None
    warnings: list[str]
    created_at: str
    """ISO 8601, UTC."""
    resource: str | None
    next_step: str | None = Field(default=None)
    """The tool call to make next, where one is useful."""
