"""Whether a run may begin, and what it may use: the seam for the budgets of a team.

One person's server admits everything, and that costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.spending.limits import Standing, Used
    from consortium_mcp.services.preparation import PreparedRun


@dataclass(frozen=True)
class Allowance:
    """What a run may use in all, whatever its own configuration allows; `None` for no limit."""

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    fresh: bool = True
    """Given just now, and not at an earlier admission of the same run."""

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return not (self.calls is None and self.tokens is None and self.dollars is None)

    def within(self, config: ConsortiumConfig) -> ConsortiumConfig:
        """The configuration with the tighter limit of each kind."""
        if not self.is_limited:
            return config
        limits = {
            "max_calls": _least(config.max_calls, self.calls),
            "max_total_tokens": _least(config.max_total_tokens, self.tokens),
            "max_cost": _least(config.max_cost, self.dollars),
        }
        return config.model_copy(update=limits)


UNLIMITED = Allowance()


class Admission(Protocol):
    """Decides for one user."""

    @property
    def counts(self) -> bool:
        """Whether anything is counted; if not, nothing below is worth a call."""
        ...

    async def admit(self, prepared: PreparedRun, *, resumed: bool = False) -> Allowance:
        """Set aside what the run may use. What an earlier admission set aside still holds.

        Args:
            prepared: the run and whom it asks.
            resumed: whether it has been at work before.

        Raises:
            BudgetError: too little is left; no model was called.
            StoreError: nobody can tell how much is left.
        """
        ...

    async def standings(self) -> Sequence[Standing]:
        """How much of each limit is used, and what is left; empty where nothing is limited.

        Raises:
            StoreError: nobody can tell.
        """
        ...

    async def withdraw(self, run_id: str) -> None:
        """Give back what was set aside for a run that does not begin after all."""
        ...

    async def settle(self, run_id: str, used: Used) -> None:
        """Note what a run has used by its end, in all; a failure to do so is only logged."""
        ...


class AdmitAll:
    """Admits everything and counts nothing."""

    counts = False

    async def admit(self, prepared: PreparedRun, *, resumed: bool = False) -> Allowance:  # noqa: ARG002 (the seam's)
        """See `Admission`."""
        return UNLIMITED

    async def standings(self) -> Sequence[Standing]:
        """See `Admission`."""
        return ()

    async def withdraw(self, run_id: str) -> None:
        """See `Admission`."""

    async def settle(self, run_id: str, used: Used) -> None:
        """See `Admission`."""


def _least(*limits: float | None) -> float | None:
    return min((each for each in limits if each is not None), default=None)
