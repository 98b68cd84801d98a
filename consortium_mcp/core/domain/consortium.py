"""A consortium: who answers, who judges, and when to stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import read_age
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable


def members_as_written(config: ConsortiumConfig) -> list[str]:
    """The panel as people write it: `gpt-4o:2` for two members of the same model."""
    counts: dict[str, int] = {}
    for member in config.members:
        counts[member.model] = counts.get(member.model, 0) + 1
    return [model if n == 1 else f"{model}:{n}" for model, n in counts.items()]


def names_asked(config: ConsortiumConfig) -> set[str]:
    """Every model and consortium that this one may ask, by name."""
    others = {config.arbiter, *config.arbiters, config.escalate_to or config.arbiter}
    return others | {member.model for member in config.members}


PROGRAM_START_SECONDS = 10.0
"""What an agent program takes, at most, to start (2 to 7 s were measured)."""


def is_program(model: str) -> bool:
    """Whether the model is an agent program on this machine, a process of its own for each call."""
    return model.startswith(("agent/", "acp/"))


MAX_ITERATIONS = 20
Tier = Literal["strong", "mid", "light"]
Sampling = Literal["full", "adaptive", "thrifty", "smart"]
OnUnsupported = Literal["skip", "text", "fail"]


_CHOICES = {"sampling": get_args(Sampling), "on_unsupported": get_args(OnUnsupported)}


class Member(Value):
    """One model instance that answers. `gpt-4o:2` makes two of these."""

    label: str
    """`A`, `B`, …: the only name the arbiter sees."""
    model: str
    """The model's id in llm's registry."""
    system: str | None = None
    """Replaces the consortium's system prompt."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Model options by llm's names, such as `temperature`."""
    tier: Tier | None = None
    """How capable it is compared with the others; see `weights`."""
    role: str | None = None
    """Its part in the strategy `roles`: the name of a role, or your own instructions."""
    reserve: bool = False
    """Asked only if the others disagree: the run's `escalate_to`."""


class TemplateUse(Value):
    """A template and its parameters, as the user names them: a name alone will do."""

    name: str
    params: dict[str, str] = Field(default_factory=dict)
    then: tuple[str, ...] = ()
    """More templates: what one makes of the prompt goes through the next, as with `llm -t`."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:  # noqa: ANN401 (whatever is validated)
        """A name alone, and numbers among the parameters, as callers write them."""
        if isinstance(value, str):
            return {"name": value.strip()}
        if isinstance(value, dict) and isinstance(params := value.get("params"), dict):
            plain = {k: str(v) if isinstance(v, int | float) else v for k, v in params.items()}
            return value | {"params": plain}
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in the order in which the prompt goes through them."""
        return (self.name, *self.then)


class ConsortiumConfig(Value):
    """Who is asked, who judges, and when to stop: the content of a saved consortium.

    `request.ConsortiumSettings` says what each setting means; this class holds the defaults.

    Raises:
        ConfigError: a value is out of bounds; the message names it and what to write instead.
    """

    name: str | None = None
    description: str | None = None
    members: tuple[Member, ...]
    arbiter: str
    arbiters: tuple[str, ...] = ()
    arbiter_options: dict[str, Any] = Field(default_factory=dict)
    strategy: str = "auto"
    sampling: Sampling = "full"
    escalate_to: str | None = None
    system: str | None = None
    criteria: str | None = None
    """What the arbiter shall judge and write by."""
    template: TemplateUse | None = None
    """What each prompt goes into; in a run's record, what its prompt has gone into already."""
    confidence_threshold: float = 0.8
    min_iterations: int = 1
    max_iterations: int = 3
    member_timeout: float = 120.0
    arbiter_timeout: float = 120.0
    deadline_seconds: float | None = None
    quorum: float | None = None
    straggler_grace: float = 5.0
    max_calls: int | None = None
    max_total_tokens: int | None = None
    max_cost: float | None = None
    tools: tuple[str, ...] | None = None
    """Tools of llm that members may use; `None` leaves it to `CONSORTIUM_TOOLS`."""
    on_unsupported: OnUnsupported | None = None
    """What becomes of a member that does not take an attachment; `None` is `skip`."""
    json_schema: dict[str, Any] | None = None
    """What an answer that is a JSON object must be; see `core.structured.schema`."""
    reuse: str | None = None
    """The age up to which a finished run of the same question is returned; see `text.read_age`."""

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_name(cls, values: Any) -> Any:  # noqa: ANN401 (whatever is validated)
        """A consortium that was saved when `max_total_tokens` was called `max_tokens`."""
        if isinstance(values, dict) and "max_tokens" in values:
            values = dict(values)
            earlier = values.pop("max_tokens")
            values.setdefault("max_total_tokens", earlier)
        return values

    @field_validator("sampling", "on_unsupported", mode="before")
    @classmethod
    def _check_choice(cls, value: object, field: ValidationInfo) -> object:
        choices = _CHOICES[str(field.field_name)]
        if value is not None and value not in choices:
            raise ConfigError(
                f"{field.field_name} is {value!r}; choose one of: {', '.join(choices)}."
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
                f"({self.max_iterations}): lower one or raise the other."
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
                f"quorum is {self.quorum:g}; it must be a share of the members, above 0 and at "
                "most 1: write 0.75 for three of four."
            )
        for field in ("max_calls", "max_total_tokens"):
            limit = getattr(self, field)
            if limit is not None and limit < 1:
                raise ConfigError(f"{field} is {limit}; it must be 1 or more, or left out.")
        if self.max_cost is not None and not 0 < self.max_cost < float("inf"):
            raise ConfigError(
                f"max_cost is {self.max_cost:g}; it must be more than 0 US dollars, or left out: "
                "write 0.5 for 50 cents."
            )
        if self.reuse is not None and read_age(self.reuse) is None:
            raise ConfigError(
                f"reuse is {self.reuse!r}; it is an age: write 30s, 10m, 36h or 7d, or 0s to ask "
                "anew."
            )

    def quorum_of(self, asked: int) -> float:
        """How many of those asked suffice to go on without the others; infinite for all."""
        return math.inf if self.quorum is None else math.ceil(self.quorum * asked - 1e-9)

    def grace_for(self, waiting: Iterable[str]) -> float:
        """Seconds for these models after the quorum; a program's start makes no straggler."""
        programs = any(is_program(model) for model in waiting)
        return self.straggler_grace + (PROGRAM_START_SECONDS if programs else 0.0)
