"""The values a consultation is made of. All frozen: a run grows by being replaced.

Words are those of the project: a *member* answers, the *arbiter* judges, an *iteration* ends in a
*verdict*, and a *run* is one consultation from prompt to final verdict.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from consortium_mcp.core.errors import ConfigError

MAX_ITERATIONS = 20

Tier = Literal["strong", "mid", "light"]
Sampling = Literal["full", "adaptive", "thrifty"]
Role = Literal["member", "arbiter"]
Status = Literal[
    "planned", "working", "completed", "degraded", "failed", "cancelled", "interrupted"
]
StopReason = Literal[
    "threshold",  # confidence reached the threshold and the arbiter asks for no more
    "stable",  # the same answer leads again and confidence no longer rises, or could not rise
    "max_iterations",
    "deadline",
    "budget",  # the next call or iteration would not fit max_calls or max_tokens
    "quorum",  # too few members answered to go on
    "arbiter_failed",  # an answer exists, but nobody could weigh it
    "members_failed",  # nobody is left who can answer
    "cancelled",
]

Share = Annotated[float, Field(ge=0, le=1)]


class Value(BaseModel):
    """Base of all values: frozen, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(Value):
    """One model instance that answers. `gpt-4o:2` makes two of these."""

    label: str
    """`A`, `B`, …: what the arbiter calls it, and all that it knows of it."""
    model: str
    """The model's id, as llm's registry spells it."""
    system: str | None = None
    """Stands in for the consortium's system prompt."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Model options by llm's names, such as `temperature`."""
    tier: Tier | None = None
    """How good it is beside the others; see `weights`."""
    role: str | None = None
    """What it does in the strategy `roles`: the name of a role, or instructions of one's own."""
    reserve: bool = False
    """Asked only where the others do not agree: the run's `escalate_to`."""


class ConsortiumConfig(Value):
    """Who is asked, who judges, and when to stop. What a saved consortium consists of.

    Raises:
        ConfigError: when a bound is broken; the message names the value and what to write instead.
    """

    name: str | None = None
    description: str | None = None
    members: tuple[Member, ...]
    arbiter: str
    arbiters: tuple[str, ...] = ()
    """Who judges in turn when the arbiter fails."""
    strategy: str = "auto"
    sampling: Sampling = "full"
    """`adaptive` asks three and then the rest, `thrifty` two at a time, until one answer leads by
    two votes."""
    escalate_to: str | None = None
    """A stronger model that is asked only when the first to be asked are not unanimous."""
    system: str | None = None
    confidence_threshold: float = 0.8
    min_iterations: int = 1
    max_iterations: int = 3
    member_timeout: float = 120.0
    """Seconds one member's call may take."""
    arbiter_timeout: float = 120.0
    """Seconds one arbiter's call may take."""
    deadline_seconds: float | None = None
    """Seconds the whole run may take."""
    quorum: float | None = None
    """Share of the members whose answers are enough to go on; everyone is waited for without."""
    straggler_grace: float = 5.0
    """Seconds that the others still have once the quorum has answered."""
    max_calls: int | None = None
    """Model calls the run may make, retries included."""
    max_tokens: int | None = None
    """Tokens the run may use, in and out together."""

    @field_validator("sampling", mode="before")
    @classmethod
    def _check_sampling(cls, value: object) -> object:
        if value not in get_args(Sampling):
            raise ConfigError(
                f"sampling is {value!r}; choose one of: {', '.join(get_args(Sampling))}."
            )
        return value

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if not self.members:
            raise ConfigError("A consortium needs at least one member: name models, e.g. gpt-4o:2.")
        if not 0 <= self.confidence_threshold <= 1:
            raise ConfigError(
                f"confidence_threshold is {self.confidence_threshold:g}; it is a share "
                "from 0 to 1: write 0.8 for 80 %."
            )
        for field in ("min_iterations", "max_iterations"):
            value = getattr(self, field)
            if not 1 <= value <= MAX_ITERATIONS:
                raise ConfigError(f"{field} is {value}; it must be between 1 and {MAX_ITERATIONS}.")
        if self.min_iterations > self.max_iterations:
            raise ConfigError(
                f"min_iterations ({self.min_iterations}) is greater than max_iterations "
                f"({self.max_iterations}): lower the one or raise the other."
            )
        self._check_limits()
        return self

    def _check_limits(self) -> None:
        for field in ("member_timeout", "arbiter_timeout", "deadline_seconds"):
            seconds = getattr(self, field)
            if seconds is not None and not 0 < seconds < float("inf"):
                raise ConfigError(f"{field} is {seconds:g}; it must be more than 0 seconds.")
        if not 0 <= self.straggler_grace < float("inf"):
            raise ConfigError(
                f"straggler_grace is {self.straggler_grace:g}; it must be 0 seconds or more."
            )
        if self.quorum is not None and not 0 < self.quorum <= 1:
            raise ConfigError(
                f"quorum is {self.quorum:g}; it is a share of the members, above 0 and at most 1: "
                "write 0.75 for three of four."
            )
        for field in ("max_calls", "max_tokens"):
            limit = getattr(self, field)
            if limit is not None and limit < 1:
                raise ConfigError(f"{field} is {limit}; it must be 1 or more, or left out.")


class Question(Value):
    """What is put to one model, once. The engine knows nothing else of the world."""

    role: Role
    label: str
    """The member's label, or `arbiter`."""
    model: str
    prompt: str
    system: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    json_schema: dict[str, Any] | None = None
    """The form wanted; a model without schema support answers in tags, as the prompt says."""
    iteration: int
    attempt: int = 1
    """1, or 2 for the repair of an unreadable verdict."""
    timeout: float
    """Seconds."""


class Reply(Value):
    """What came back of a `Question` that did not fail."""

    text: str
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    """Tokens of all tries."""
    tries: int = 1
    """Calls it took, the failed ones before it included."""
    warnings: tuple[str, ...] = ()
    """What is odd about it: cut short, answered only at a second try, and the like."""
    nested_run_id: str | None = None
    """The run that it is the synthesis of, where a consortium was asked."""


class Calibration(Value):
    """A map from the confidence computed to the share of labelled runs that were right."""

    slope: float
    intercept: float
    """The mapped confidence is `sigmoid(slope * logit(confidence) + intercept)`."""
    labelled: int
    """Runs that it was fitted on."""
    fitted_at: str
    """ISO 8601, UTC."""


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


class Turn(Value):
    """An earlier question of the same conversation, and what came of it."""

    prompt: str
    synthesis: str


class Parent(Value):
    """The call that a nested run answers: a consortium is a member or the arbiter of another."""

    run_id: str
    call: str
    """Which of that run's calls it is; see `exchange.name_of`."""


class Run(Value):
    """One consultation. `engine.consult` takes it from `working` to a final status."""

    run_id: str
    prompt: str
    config: ConsortiumConfig
    members: tuple[Member, ...]
    """The panel in its order and then the reserve, labelled for this run by `panel`."""
    seed: str
    """Random text that no model ever sees; labels and quoting boundary come from it."""
    status: Status = "working"
    stop_reason: StopReason | None = None
    iterations: tuple[Iteration, ...] = ()
    unjudged: tuple[Response, ...] = ()
    """Responses of an iteration that has reached no verdict."""
    elapsed: float = 0.0
    """Seconds it had worked before it was interrupted; they count towards its deadline."""
    error: str | None = None
    """Why there is no answer, when the status is `failed`."""
    history: tuple[Turn, ...] = ()
    """The conversation before this prompt, oldest first."""
    continues: str | None = None
    """The id of the run that it goes on from."""
    parent: Parent | None = None
    """Whose call it answers; `None` for a run that somebody asked for."""
    calibration: Calibration | None = None
    """What maps this run's confidence; `None` where nothing was fitted."""
    warnings: tuple[str, ...] = ()

    @property
    def panel(self) -> tuple[Member, ...]:
        """The members that are asked in any case."""
        return tuple(member for member in self.members if not member.reserve)

    @property
    def settled(self) -> bool:
        """Whether it has its answer."""
        return self.status in {"completed", "degraded"}

    @property
    def best(self) -> Iteration | None:
        """The iteration whose verdict is returned: the most confident, the later of equals."""
        if not self.iterations:
            return None
        return max(
            self.iterations,
            key=lambda it: (not it.verdict.degraded, it.verdict.confidence, it.number),
        )

    @property
    def last_verdict(self) -> Verdict | None:
        """The verdict that the next iteration goes on from."""
        return self.iterations[-1].verdict if self.iterations else None
