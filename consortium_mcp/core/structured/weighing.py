"""How far each member is believed where votes are equal: by how it agrees with the others.

Of members that are right independently, the one that agrees more with the others is right more
often, as wrong values scatter. No label is needed, and one object tells: its fields are as many
votes. It settles ties only; a vote by weight is never overturned by it.
"""

from __future__ import annotations

from itertools import combinations
from math import fsum
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
    likeness, total = [0.0] * len(parts), [0.0] * len(parts)
    for one, other in combinations(range(len(parts)), 2):
        mine, theirs = parts[one], parts[other]
        both = mine.keys() & theirs.keys()
        every = len(mine) + len(theirs) - len(both)
        share = fsum([alike(mine[path], theirs[path]) for path in both]) / every
        for member, against in ((one, other), (other, one)):
            likeness[member] += weights[against] * share
            total[member] += weights[against]
    return [
        round(some / every, 9) if every else 1.0
        for some, every in zip(likeness, total, strict=True)
    ]
