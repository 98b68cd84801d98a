"""Say how a run was rated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.rating import Rating


def rating_sentence(ratings: Sequence[Rating]) -> str:
    """What the newest rating says, and how many there are; there is at least one."""
    newest = ratings[-1]
    said = {True: "rated right", False: "rated wrong", None: "rated"}[newest.correct]
    right = f"; the right answer is {newest.answer}" if newest.answer else ""
    who = f" by {newest.by}" if newest.by else ""
    note = f" ({newest.note})" if newest.note else ""
    more = f" The newest of {len(ratings)} ratings counts." if len(ratings) > 1 else ""
    return f"{said}{who} on {newest.at[:10]}{right}{note}.{more}"
