"""What somebody may spend, and what of it is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.values import Value

What = Literal["calls", "tokens", "dollars", "runs"]
"""What is limited; `runs` are those at the same time."""
Spendable = Literal["calls", "tokens", "dollars"]
SPENDABLE: tuple[Spendable, ...] = ("calls", "tokens", "dollars")
Period = Literal["day", "month", "now"]
"""Days and months are those of the calendar, in UTC; `now` is for runs at the same time."""
Who = Literal["everybody", "each", "user"]
"""All users together; each of them for whom nothing else is said; one of them."""


class Limit(Value):
    """The most that somebody may spend in a period."""

    who: Who
    period: Period
    what: What
    most: float = Field(ge=0)
    user: Principal | None = None
    """Whose it is, for one user."""


class Standing(Value):
    """How much of a limit is used."""

    limit: Limit
    used: float = 0
    """By runs that have ended."""
    reserved: float = 0
    """Set aside for runs that work; of a limit on runs, how many these are."""
    now: datetime
    renewed_at: datetime | None = None
    """When it is counted anew, in UTC; `None` for runs at the same time."""

    @property
    def left(self) -> float:
        """What may still be spent."""
        return max(0.0, self.limit.most - self.used - self.reserved)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        data = self.model_dump(mode="json", include={"used", "reserved", "renewed_at"})
        limit = self.limit.model_dump(mode="json", include={"who", "what", "period", "most"})
        return {**limit, **data, "left": self.left}


class Used(Value):
    """What runs have really used, with estimates where no provider has told it."""

    calls: int = 0
    tokens: int = 0
    dollars: float = 0.0
