"""The parts of an iteration: the responses, and the verdict on them."""

from __future__ import annotations

from typing import Literal

from consortium_mcp.core.domain.values import Share, Value


class Response(Value):
    """What one member answered in one iteration, or why it did not."""

    label: str
    model: str
    status: Literal["answered", "failed", "cut"]
    """`cut`: the run went on before this member answered."""
    text: str | None = None
    final_answer: str | None = None
    stated_confidence: Share | None = None
    error: str | None = None
    error_kind: str | None = None
    permanent: bool = False
    """Asking again cannot help, so this member is not asked in later iterations."""
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    warnings: tuple[str, ...] = ()
    nested_run_id: str | None = None
    """The member's own run, where the member is a consortium."""

    @property
    def answered(self) -> bool:
        """Whether the member answered."""
        return self.status == "answered"


class Dissent(Value):
    """An answer that lost, and why it may matter."""

    labels: tuple[str, ...]
    """Who gave it; empty where the arbiter named nobody."""
    final_answer: str | None = None
    argument: str
    """In the arbiter's words where there are any, else an excerpt of the response."""


class ConfidenceParts(Value):
    """The parts that a confidence was computed from; all are reported."""

    agreement: Share | None
    """Share of the members that answered whose answer the synthesis is based on; `None` where one
    of several answered, since nobody agrees with it."""
    margin: float | None
    """Agreement minus the share of the largest group with another answer."""
    mean_stated: Share | None
    """Mean stated confidence of the supporters that stated one."""
    votes: int
    """Members that answered."""
    abstentions: int = 0
    """Members that answered without a short final answer."""
    unheard: int = 0
    """Members that were not asked, because an answer led already; a tenth of a vote is against it
    for them."""
    repeated: int = 0
    """Supporters whose model is among the supporters already; each is worth a little less."""
    distinct_answers: int
    grouped_by: Literal["answers", "arbiter"] = "answers"
    """`arbiter`: some answers count as the same only because the arbiter says so."""
    arbiter_confidence: Share | None
    weighted: bool = False
    """Whether votes had different weights."""
    weighted_by: Literal["labels", "tier"] | None = None
    """What gave them: labelled runs, or the members' tiers; `None` where nothing did."""
    calibrated: bool = False
    """Whether the confidence was calibrated on labelled runs."""
    uncalibrated: Share | None = None
    """The confidence before calibration; `None` where it was not calibrated."""
    method: str
    """How the confidence was computed, in words."""


class Verdict(Value):
    """The outcome of an iteration."""

    synthesis: str
    final_answer: str | None = None
    confidence: Share
    parts: ConfidenceParts
    supporters: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    """Labels whose answers mean the same, the synthesis's group first."""
    dissent: tuple[Dissent, ...] = ()
    refinements: tuple[str, ...] = ()
    """What the arbiter wants the members to reconsider."""
    needs_iteration: bool = False
    ranking: tuple[str, ...] = ()
    """Labels, best first; empty where there is no ranking."""
    arbiter: str | None = None
    """The model that judged; `None` where none did."""
    leaving: tuple[str, ...] = ()
    """Labels that the strategy `elimination` no longer asks."""
    degraded: bool = False
    """Whether the arbiter failed: the synthesis is then the best-supported response, verbatim."""
    warnings: tuple[str, ...] = ()


class Iteration(Value):
    """One pass: members answer, and a verdict is reached."""

    number: int
    responses: tuple[Response, ...]
    verdict: Verdict
    cut: Literal["budget", "deadline"] | None = None
    """What stopped the judging before the responses could be weighed."""
