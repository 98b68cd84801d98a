"""Phrases that several texts use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from consortium_mcp.core.records.run_summary import RunSummary
    from consortium_mcp.core.reports.rating import Rating
    from consortium_mcp.core.reports.report import MemberReport, Plan, RunReport, Usage


def seconds(member: MemberReport) -> str:
    """How long a member took, as text."""
    return "time unknown" if member.seconds is None else f"{member.seconds:.1f} s"


_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def duration(seconds: float) -> str:
    """A time in the largest unit of which there are at least two, as text."""
    name, length = next((each for each in _UNITS if seconds >= 2 * each[1]), _UNITS[-1])
    count = round(seconds / length)
    return f"{count} {name if count != 1 else name.removesuffix('s')}"


def moment(created_at: str, zone: tzinfo | None = UTC) -> str:
    """When something was, to the minute, with the zone's name.

    Args:
        created_at: ISO 8601.
        zone: the reader's time zone; `None` for that of this machine.
    """
    return f"{datetime.fromisoformat(created_at).astimezone(zone):%Y-%m-%d %H:%M %Z}"


def tokens(report: RunReport) -> str:
    """How many tokens the run used, as text."""
    usage = report.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return "tokens not reported"
    return f"{usage.input_tokens or 0} tokens in, {usage.output_tokens or 0} out"


def cost(usage: Usage | RunSummary) -> str | None:
    """What the run cost, as text; `None` where no price is known."""
    if usage.cost_usd is None:
        return None
    known = "" if usage.priced_calls >= usage.calls else f" for {usage.priced_calls} of its calls"
    return f"about {dollars(usage.cost_usd)}{known}"


def cost_range(plan: Plan) -> str | None:
    """What a run may cost, as text; `None` where no price is known."""
    if plan.least_cost_usd is None or plan.most_cost_usd is None:
        return None
    known = "" if plan.priced_calls >= plan.most_calls else f", for {plan.priced_calls} of them"
    least, most = dollars(plan.least_cost_usd), dollars(plan.most_cost_usd)
    return f"about {least} to {most} (an estimate{known})"


def dollars(amount: float) -> str:
    """US dollars, as text: cents, and two more digits for a small amount."""
    return f"${amount:.4f}" if amount < SMALL else f"${amount:.2f}"


SMALL = 0.1
"""US dollars below which cents say too little."""


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def times(count: int) -> str:
    """How often: `once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def rating_sentence(ratings: Sequence[Rating]) -> str:
    """What the newest rating says, and how many there are; there is at least one."""
    newest = ratings[-1]
    said = {True: "rated right", False: "rated wrong", None: "rated"}[newest.correct]
    right = f"; the right answer is {newest.answer}" if newest.answer else ""
    who = f" by {newest.by}" if newest.by else ""
    note = f" ({newest.note})" if newest.note else ""
    more = f" The newest of {len(ratings)} ratings counts." if len(ratings) > 1 else ""
    return f"{said}{who} on {newest.at[:10]}{right}{note}.{more}"
