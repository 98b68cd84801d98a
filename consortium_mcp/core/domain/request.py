"""What somebody asks for, before it is checked against what there is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pydantic import Field

from consortium_mcp.core.domain.consortium import Tier
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemberSpec(Value):
    """A member with settings of its own."""

    model: str
    """`model` or `model:count`."""
    system: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    tier: Tier | None = None
    role: str | None = None
    """For the strategy `roles`: the name of a role, or instructions of one's own."""


_WHO = {"models", "counts", "arbiter", "arbiters", "escalate_to"}


@dataclass(frozen=True)
class ConsultRequest:
    """What somebody asked for; `None` where they left it to the consortium or to us."""

    models: Sequence[str | MemberSpec] | None = None
    counts: Sequence[int] = ()
    """Counts given beside the models; see `panel.with_counts`."""
    arbiter: str | None = None
    strategy: str | None = None
    sampling: str | None = None
    escalate_to: str | None = None
    system: str | None = None
    confidence_threshold: float | None = None
    max_iterations: int | None = None
    min_iterations: int | None = None
    member_timeout: float | None = None
    arbiter_timeout: float | None = None
    deadline_seconds: float | None = None
    arbiters: Sequence[str] | None = None
    quorum: float | None = None
    straggler_grace: float | None = None
    max_calls: int | None = None
    max_tokens: int | None = None
    description: str | None = None

    def settings(self) -> dict[str, Any]:
        """What is set, less who speaks."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: clean(value) if isinstance(value, str) else value
            for name, value in named.items()
            if value is not None and name not in _WHO
        }


def checked_wait(seconds: float | None, default: float) -> float:
    """How long to wait; checked before anything is begun that would have to be waited for.

    Raises:
        ConfigError: the time is no time.
    """
    seconds = default if seconds is None else seconds
    if not seconds >= 0:
        raise ConfigError(f"wait_seconds is {seconds:g}; it must be 0 or more.")
    return seconds
