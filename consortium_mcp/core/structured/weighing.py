"""How far each member is believed where votes are equal: by how it agrees with the others.

Of members that are right independently, the one that agrees more with the others is right more
often, as wrong values scatter. No label is needed, and one object tells: its fields are as many
votes. It settles ties only; a vote by weight is never overturned by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.structured.likeness import alike
from consortium_mcp.core.structured.values import leaves

if TYPE_CHECKING:
    from collections.abc import Sequence


def standing(objects: Sequence[object], weights: Sequence[float]) -> list[float]:
    """How alike each object is to the others, from 0 to 1, over the leaves that one of two has.

    Args:
        objects: the members' objects.
        weights: how much each member counts.
    """
    parts = [dict(leaves(each)) for each in objects]
    found = []
    for one, mine in enumerate(parts):
        total = likeness = 0.0
        for other, theirs in enumerate(parts):
            if other == one:
                continue
            both = mine.keys() & theirs.keys()
            every = len(mine) + len(theirs) - len(both)
            total += weights[other]
            likeness += (
                weights[other]
                * sum(alike(mine[p], theirs[p]) for p in sorted(both, key=str))
                / every
            )
        found.append(round(likeness / total, 9) if total else 1.0)
    return found
