"""A verdict that stands on a count: what the strategies and the arbiter's fallback share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers import prose
from consortium_mcp.core.confidence import dissent_of, weigh
from consortium_mcp.core.models import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence import Groups
    from consortium_mcp.core.models import Response


def counted(
    responses: Sequence[Response], winners: tuple[str, ...], groups: Groups, method: str
) -> Verdict:
    """The winners' answer, word for word, told by the most confident of them.

    Args:
        responses: the iteration's responses.
        winners: the labels that won; one of the groups.
        groups: labels that say the same thing.
        method: how the winners were found, in words, for the report.
    """
    answered = {r.label: r for r in responses if r.answered}
    teller = max((answered[name] for name in winners), key=lambda r: r.stated_confidence or 0.0)
    number, parts = weigh(responses, winners, groups, arbiter_confidence=None, method=method)
    return Verdict(
        synthesis=prose(teller.text or ""),
        final_answer=teller.final_answer,
        confidence=number,
        parts=parts,
        supporters=winners,
        groups=(winners, *(group for group in groups if group != winners)),
        dissent=dissent_of(responses, winners, groups),
    )
