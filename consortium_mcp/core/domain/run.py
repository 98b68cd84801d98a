"""The values a consultation is made of. All frozen: a run grows by being replaced.

Words are those of the project: a *member* answers, the *arbiter* judges, an *iteration* ends in a
*verdict*, and a *run* is one consultation from prompt to final verdict.
"""

from __future__ import annotations

from typing import Literal

from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.values import Value
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict

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


class Calibration(Value):
    """A map from the confidence computed to the share of labelled runs that were right."""

    slope: float
    intercept: float
    """The mapped confidence is `sigmoid(slope * logit(confidence) + intercept)`."""
    labelled: int
    """Runs that it was fitted on."""
    fitted_at: str
    """ISO 8601, UTC."""


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
