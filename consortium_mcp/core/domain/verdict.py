"""What an iteration consists of: the responses, and the verdict reached on them."""

from __future__ import annotations

from typing import Literal

from consortium_mcp.core.domain.values import Share, Value


class Response(Value):
    """What one member said in one iteration, or why it did not."""

    label: str
    model: str
    status: Literal["answered", "failed", "cut"]
    """`cut`: the run went on before this one was done."""
    text: str | None = None
    final_answer: str | None = None
    stated_confidence: Share | None = None
    error: str | None = None
    error_kind: str | None = None
    permanent: bool = False
    """A failure that asking again cannot mend: this member is not asked in later iterations."""
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    warnings: tuple[str, ...] = ()
    nested_run_id: str | None = None
    """The run of its own, where the member is a consortium."""

    @property
    def answered(self) -> bool:
        """Whether there is a text to weigh."""
        return self.status == "answered"


class Dissent(Value):
    """An answer that lost, and why it may matter."""

    labels: tuple[str, ...]
    """Who gave it; empty where the arbiter spoke of nobody in particular."""
    final_answer: str | None = None
    argument: str
    """In the arbiter's words where it spoke, else from the response itself."""


class ConfidenceParts(Value):
    """What a confidence was computed from; every part is reported."""

    agreement: Share
    """Share of the members that answered whose answer the synthesis stands on."""
    margin: float
    """Agreement less the share of the largest group that says something else."""
    mean_stated: Share | None
    """Mean stated confidence of the supporters that stated any."""
    votes: int
    """Members that answered."""
    abstentions: int = 0
    """Those of them that gave no short final answer."""
    distinct_answers: int
    grouped_by: Literal["answers", "arbiter"] = "answers"
    """`arbiter`: on its word, what does not read as the same counts as the same."""
    arbiter_confidence: Share | None
    weighted: bool = False
    """Whether tiers gave the votes different weights."""
    calibrated: bool = False
    """Whether the confidence was mapped by what labelled runs showed."""
    uncalibrated: Share | None = None
    """The confidence before that; `None` where it was not mapped."""
    method: str
    """How the number came about, in words."""


class Verdict(Value):
    """An iteration's outcome."""

    synthesis: str
    final_answer: str | None = None
    confidence: Share
    parts: ConfidenceParts
    supporters: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    """Labels that say the same thing, the synthesis's group first."""
    dissent: tuple[Dissent, ...] = ()
    refinements: tuple[str, ...] = ()
    """What the arbiter wants looked at again."""
    needs_iteration: bool = False
    ranking: tuple[str, ...] = ()
    """Labels, best first; empty where nobody ranked."""
    arbiter: str | None = None
    """The model that judged; `None` where nobody did."""
    leaving: tuple[str, ...] = ()
    """Labels of those that the strategy `elimination` asks no more."""
    degraded: bool = False
    """The arbiter failed; the synthesis is the best-supported response, verbatim."""
    warnings: tuple[str, ...] = ()


class Iteration(Value):
    """One pass: members answered, a verdict was reached."""

    number: int
    responses: tuple[Response, ...]
    verdict: Verdict
    cut: Literal["budget", "deadline"] | None = None
    """What cut the judging off, so that nobody could weigh the responses."""
