"""The run and its parts. All are frozen: a run that moves on is replaced by a new value.

In this project's terms, a *member* answers, the *arbiter* judges, an *iteration* ends in a
*verdict*, and a *run* is one consultation from prompt to final verdict.
"""

from __future__ import annotations

from typing import Literal

from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.learned import Calibration, Learned, Weights
from consortium_mcp.core.domain.values import Value
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict

Status = Literal[
    "planned", "working", "completed", "degraded", "failed", "cancelled", "interrupted"
]
StopReason = Literal[
    "threshold",  # confidence reached the threshold and the arbiter wants no further iteration
    "stable",  # the same answer leads again and confidence does not rise, or cannot
    "max_iterations",
    "deadline",
    "budget",  # the next call or iteration would not fit a limit: max_calls and the like
    "quorum",  # too few members answered to go on
    "arbiter_failed",  # there is an answer, but no arbiter could weigh it
    "members_failed",  # no member is left that can answer
    "cancelled",
]


class Turn(Value):
    """An earlier question of the same conversation, and its answer."""

    prompt: str
    synthesis: str


class Parent(Value):
    """The call that a nested run answers, where a consortium is a member or arbiter of another."""

    run_id: str
    call: str
    """Which of that run's calls; see `exchange.name_of`."""


class Run(Value):
    """One consultation. `engine.consult` takes it from `working` to a final status."""

    run_id: str
    prompt: str
    config: ConsortiumConfig
    members: tuple[Member, ...]
    """The panel in its order, then the reserve; `panel` labels them for this run."""
    seed: str
    """Random text that no model ever sees; labels and quoting boundaries derive from it."""
    status: Status = "working"
    stop_reason: StopReason | None = None
    iterations: tuple[Iteration, ...] = ()
    unjudged: tuple[Response, ...] = ()
    """Responses of an iteration that has no verdict yet."""
    elapsed: float = 0.0
    """Seconds it ran before it was interrupted; they count towards its deadline."""
    error: str | None = None
    """Why there is no answer, when the status is `failed`."""
    history: tuple[Turn, ...] = ()
    """The conversation before this prompt, oldest first."""
    attachments: tuple[Attachment, ...] = ()
    continues: str | None = None
    """The id of the run that this one continues."""
    parent: Parent | None = None
    """The call this run answers; `None` unless it is nested."""
    calibration: Calibration | None = None
    """Applied to this run's confidence; `None` where none was fitted."""
    weights: Weights | None = None
    """What labelled runs taught about its members' votes; a member's tier goes before."""
    client: str | None = None
    """The program that asked: an MCP client's name, or `llm` or `python`."""
    warnings: tuple[str, ...] = ()
    fingerprint: str | None = None
    """The same for runs that ask the same; `None` where nobody looks for such, as if nested."""

    @property
    def panel(self) -> tuple[Member, ...]:
        """The members without the reserve."""
        return tuple(member for member in self.members if not member.reserve)

    @property
    def settled(self) -> bool:
        """Whether it has ended with an answer."""
        return self.status in {"completed", "degraded"}

    @property
    def best(self) -> Iteration | None:
        """The iteration whose verdict is returned: the most confident; of equals, the later.

        One in which a single member of several answered stands behind those that heard more.
        """
        if not self.iterations:
            return None
        return max(
            self.iterations,
            key=lambda it: (
                not it.verdict.degraded,
                it.verdict.parts.agreement is not None,
                it.verdict.confidence,
                it.number,
            ),
        )

    @property
    def last_verdict(self) -> Verdict | None:
        """The verdict that the next iteration builds on."""
        return self.iterations[-1].verdict if self.iterations else None


def with_learned(run: Run, learned: Learned) -> Run:
    """The run with what labelled runs taught about its panel.

    Where the user has given its members tiers, these weigh, and nothing that was learned does.
    """
    panel = learned.of_panel([member.model for member in run.members])
    if panel is None or any(member.tier is not None for member in run.panel):
        return run.model_copy(update={"calibration": learned.calibration, "weights": None})
    return run.model_copy(update={"calibration": panel.calibration, "weights": panel.weights})
