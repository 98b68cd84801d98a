"""How much of what somebody has left is set aside for a run, or why the run may not begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import BudgetError
from consortium_mcp.core.spending.limits import SPENDABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.spending.limits import Limit, Spendable, Standing


@dataclass(frozen=True)
class Want:
    """What a run may take."""

    most: float
    """In the worst case."""
    least: float
    """For one full iteration, in the worst case."""


def allotted(
    standings: Sequence[Standing], wants: Mapping[Spendable, Want]
) -> dict[Spendable, float]:
    """What is set aside for a run, of what is limited: its worst case, or else all that is left.

    Args:
        standings: all limits that hold for its user. What is limited but not wanted counts as free.
        wants: what the run may take.

    Raises:
        BudgetError: what is left does not cover one full iteration.
    """
    for standing in standings:
        if standing.limit.what == "runs" and standing.left < 1:
            raise BudgetError(_too_many_at_once(standing), "runs")
    found: dict[Spendable, float] = {}
    for what in SPENDABLE:
        limits = [each for each in standings if each.limit.what == what]
        if not limits or what not in wants:
            continue
        want, tightest = wants[what], min(limits, key=lambda each: each.left)
        left = tightest.left if what == "dollars" else math.floor(tightest.left)
        if left < want.least or left <= 0:
            raise BudgetError(_not_enough(tightest, want.least, left), what)
        found[what] = min(want.most, left)
    return found


def _not_enough(standing: Standing, least: float, left: float) -> str:
    limit = standing.limit
    under_way = ""
    if standing.reserved:
        amount = told(limit.what, standing.reserved)
        under_way = f" ({amount} {_are(standing.reserved)} set aside for runs under way)"
    all_of_it = f"{told(limit.what, left)} {_are(left)} left of {told(limit.what, limit.most)}"
    needed = told(limit.what, least)
    remedy = "Ask fewer or cheaper models, wait until then, or ask your admin to raise it."
    why = (
        f"{all_of_it} for {_of(limit)} {_PERIODS[limit.period]}{under_way}, and one round of this "
        f"panel may take {needed}; no model was called."
    )
    return " ".join(filter(None, [why, _when(standing), remedy]))


def _too_many_at_once(standing: Standing) -> str:
    under_way, most = round(standing.reserved), round(standing.limit.most)
    whose = "All users together have" if standing.limit.who == "everybody" else "You have"
    runs = "run" if under_way == 1 else "runs"
    return (
        f"{whose} {under_way} {runs} under way, and {most} at once is the most; none is left. No "
        "model was called. Ask again when one has ended, cancel one, or ask your admin to raise it."
    )


def _when(standing: Standing) -> str:
    at = standing.renewed_at
    if at is None:
        return ""
    hours = math.ceil(max(0.0, (at - standing.now).total_seconds()) / 3600)
    unit = "hour" if hours == 1 else "hours"
    return f"It is counted anew at {at:%Y-%m-%d %H:%M} UTC, in {hours} {unit}."


_PERIODS = {"day": "today", "month": "this month", "now": "now"}


def _of(limit: Limit) -> str:
    return "all users together" if limit.who == "everybody" else "you"


def _are(amount: float) -> str:
    return "is" if amount == 1 else "are"


def told(what: str, amount: float) -> str:
    """An amount as people read it: `1 call`, `2,000 tokens`, `$0.25`."""
    if what == "dollars":
        return f"${amount:,.4f}".rstrip("0").rstrip(".")
    number = f"{amount:,.0f}"
    return f"{number} {what[:-1] if number == '1' else what}"
