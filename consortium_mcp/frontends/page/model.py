"""What the page of a run is drawn from, as it is sent to the page. `None` means absent.

`web/src/types.ts` says the same in TypeScript; a test holds the two together.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from consortium_mcp.core.domain.run import Status, StopReason, Turn
from consortium_mcp.core.domain.verdict import ConfidenceParts, FieldOutcome, PeerReview
from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.core.reports.report import AttachmentReport, Plan, ToolReport, Usage


class Later(BaseModel):
    """A long text that is not here; see `texts.set_apart`."""

    key: str
    characters: int
    """Of all of it."""
    beginning: str = ""


Text = str | Later
GroupKind = Literal["disagrees", "agrees", "answered", "abstains", "failed", "waiting", "spared"]
"""`answered`: there is no verdict yet; `abstains`: no short answer where others gave one."""


class PageMember(BaseModel):
    """One member, as it stood in the reported iteration."""

    label: str
    model: str
    role: str | None = None
    status: str
    """As in `MemberReport`."""
    final_answer: str | None = None
    stated_confidence: float | None = None
    supports: bool | None = None
    error: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    tries: int | None = None
    nested_run_id: str | None = None


class PageGroup(BaseModel):
    """Members whose answers mean the same, or that have none for the same reason."""

    kind: GroupKind
    labels: list[str]
    final_answer: str | None = None
    """As the first of them wrote it."""
    stated_confidence: float | None = None
    """The weighted mean of what they stated."""
    argument: Text | None = None
    """Why a dissent may matter."""


class PageResponse(BaseModel):
    """What one member answered in one iteration."""

    label: str
    status: str
    final_answer: str | None = None
    stated_confidence: float | None = None
    error: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    tries: int | None = None
    warnings: list[str] = []
    text: Text | None = None
    """As a person reads it: without thinking and tags."""


class PageIteration(BaseModel):
    """One iteration. One that has no verdict yet has neither confidence nor synthesis."""

    number: int
    confidence: float | None = None
    agreement: float | None = None
    synthesis: Text | None = None
    """`None` also in the reported iteration, whose synthesis is the page's."""
    final_answer: str | None = None
    arbiter: str | None = None
    degraded: bool = False
    cut: str | None = None
    groups: list[PageGroup] = []
    refinements: list[str] = []
    warnings: list[str] = []
    responses: list[PageResponse] = []


class PageToolUse(BaseModel):
    """One use of a tool during a call."""

    name: str
    arguments: Text
    result: Text
    seconds: float


class PageCall(BaseModel):
    """One call of a model, with exactly what it was sent."""

    iteration: int
    role: str
    label: str
    attempt: int
    model: str
    system: Text | None = None
    prompt: Text | None = None
    reply: Text | None = None
    """`None` also where a response's text is the same."""
    error: str | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    tries: int = 1
    warnings: list[str] = []
    nested_run_id: str | None = None
    tools: list[PageToolUse] = []


class RunPage(BaseModel):
    """Everything that the page of one run shows."""

    run_id: str | None
    status: Status
    stop_reason: StopReason | None = None
    error: str | None = None
    prompt: Text
    synthesis: Text | None = None
    final_answer: str | None = None
    confidence: float | None = None
    parts: ConfidenceParts | None = None
    equation: str | None = None
    """`48 % = 60 % agreement (3 of 5) × 80 % stated`."""
    reason: str | None = None
    """The same in a sentence or two."""
    degraded: bool = False
    """Whether no arbiter could weigh the answers: the synthesis is the best-supported of them."""
    groups: list[PageGroup] = []
    open_dissent: list[Text] = []
    """Arguments of the dissent that the arbiter ascribed to nobody."""
    refinements: list[str] = []
    warnings: list[str] = []
    members: list[PageMember] = []
    answered: int = 0
    asked: int = 0
    iterations: list[PageIteration] = []
    reported_iteration: int | None = None
    review: PeerReview | None = None
    data: dict[str, Any] | None = None
    fields: list[FieldOutcome] = []
    calls: list[PageCall] = []
    nested: list[RunPage] = []
    parent_call: str | None = None
    """Where this run is nested: which call of its parent it answers, as `1/member/A/1`."""
    attachments: list[AttachmentReport] = []
    tools: list[ToolReport] = []
    history: list[Turn] = []
    ratings: list[Rating] = []
    usage: Usage
    plan: Plan | None = None
    consortium: str | None = None
    strategy: str
    arbiter: str
    client: str | None = None
    continues: str | None = None
    parent_run_id: str | None = None
    age_seconds: float | None = None
    created_at: str


class RunNotice(BaseModel):
    """What the page says where it has no run."""

    notice: Literal["pruned", "error", "waiting", "asking"]
    """`asking`: nothing is called before somebody has confirmed it."""
    run_id: str | None = None
    text: str | None = None
    """The error, in words."""
