"""The parts of an iteration: the responses, and the verdict on them."""

from __future__ import annotations

from typing import Any, Literal

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


Finding = Literal["right", "wrong", "cannot tell"]


class RankedAnswer(Value):
    """One answer, and how it came out of the reviews."""

    labels: tuple[str, ...]
    """Who gave it, its speaker first."""
    score: float
    """`council`: the share of its comparisons with other answers that it won, by weight. `verify`:
    the votes for it, plus the checks that found it right, minus those that found it wrong."""


class Ballot(Value):
    """One member's ranking of other members' answers."""

    reviewer: str
    shown: tuple[str, ...]
    """Whose answers it read, in the order in which it read them."""
    ranking: tuple[str, ...]
    """Those of them that it ranked, best first."""


class Check(Value):
    """What one reviewer found in one answer."""

    reviewer: str
    """A member's label, or `arbiter`."""
    of: str
    """The label of the answer's speaker."""
    finding: Finding
    error: str | None = None
    """The first error that it found, with its place."""


class Objection(Value):
    """An error that a reviewer sees in an answer."""

    reviewer: str
    of: str
    """Whose answer it is."""
    text: str


class PeerReview(Value):
    """What reviewers made of the answers."""

    ranking: tuple[RankedAnswer, ...]
    """Best first; without the answers that nobody compared."""
    ballots: tuple[Ballot, ...] = ()
    """Who ranked what, and so placed whom first; for `council`."""
    checks: tuple[Check, ...] = ()
    """For `verify`."""
    kendalls_w: Share | None = None
    """How much the rankings agree, from 0 to 1; `None` where they are too few to tell."""
    objections: tuple[Objection, ...] = ()
    """The errors that reviewers see, those in the answer ranked first before others, and of these
    the strongest first."""
    missing: tuple[str, ...] = ()
    """The reviewers that were asked and gave no review."""

    @property
    def strongest_objection(self) -> Objection | None:
        """The strongest objection to the answer that is ranked first, if there is any."""
        first = self.objections[0] if self.objections and self.ranking else None
        return first if first and first.of in self.ranking[0].labels else None

    @property
    def asked(self) -> int:
        """How many reviews were asked for."""
        return len(self.ballots) + len(self.checks) + len(self.missing)


class ValueVote(Value):
    """A value of a field, and who gave it."""

    value: Any
    """`null` where `missing`."""
    labels: tuple[str, ...]
    missing: bool = False
    """Whether their objects have nothing there."""


class FieldOutcome(Value):
    """A leaf of an object that members agreed on."""

    path: str
    """A JSON Pointer (RFC 6901)."""
    value: Any
    """`null` where `missing`."""
    agreement: Share
    """The share of the votes for this field that stand behind the value."""
    confidence: Share
    votes: tuple[ValueVote, ...]
    """The value's own first."""
    settled_by: Literal["vote", "arbiter", "only"]
    """`only`: one member has an object."""
    missing: bool = False
    """Whether it was agreed that there is nothing."""


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
    review: PeerReview | None = None
    """What reviewers made of the answers; `None` where none were asked."""
    data: dict[str, Any] | None = None
    """The object, where one was asked for."""
    fields: tuple[FieldOutcome, ...] = ()
    """Its leaves."""
    breaches: tuple[str, ...] = ()
    """What of it breaks the schema, in words."""
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
