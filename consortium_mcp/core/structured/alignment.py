"""Aligns several members' lists: which elements are the same one.

Each two lists are paired by best assignment (`assignment`). The list most like the others gives the
columns; what it lacks and others have becomes further columns.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import nsmallest
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from consortium_mcp.core.structured.assignment import best_pairs
from consortium_mcp.core.structured.likeness import Element, alike_elements, element_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Column = dict[int, int]
"""One element: list -> the index at which the list has it."""
LEAST_ALIKE = 0.12
"""Elements less alike are two, unless they stand in the same gap between pairs."""
_ALL_PAIRS = 2_500
"""Pairs of elements that are all looked at; above, only those that share something rare."""
_CANDIDATES = 10
"""Elements that are looked at for each, where there are too many for all pairs."""
_COMMON = 50
"""Elements with a part in common that tells nothing apart any more."""
_NEARNESS = 0.02
"""What it counts that two elements have the same place in their lists: it settles ties."""


def columns_of(
    lists: Sequence[Sequence[object]], weights: Sequence[float], *, fixed: bool, unique: bool
) -> list[Column]:
    """Align lists, in the order in which most of them have the elements.

    Args:
        lists: one for each member; the same lists in another order give the same columns.
        weights: how much each list counts.
        fixed: an element is known by its index, as of a coordinate.
        unique: the lists are sets, so that elements that differ are never the same one.
    """
    if fixed:
        longest = max(map(len, lists))
        return [{m: at for m, each in enumerate(lists) if at < len(each)} for at in range(longest)]
    elements = [[element_of(each) for each in one] for one in lists]
    pairs: dict[tuple[int, int], dict[int, int]] = {}
    scores = list(weights)  # each is like itself
    for one, other in combinations(range(len(lists)), 2):
        found, score = _paired(elements[one], elements[other], gaps=not unique)
        pairs[one, other], pairs[other, one] = found, {b: a for a, b in found.items()}
        scores[one] += weights[other] * score
        scores[other] += weights[one] * score
    most = max(range(len(lists)), key=lambda m: (round(scores[m], 9), -m))
    likeness = {m: sum(1 for _ in pairs[most, m]) for m in range(len(lists)) if m != most}
    order = [most, *sorted(likeness, key=lambda m: (-likeness[m], m))]
    return _in_order(_joined(lists, order, pairs), most, weights)


def _joined(
    lists: Sequence[Sequence[object]],
    order: Sequence[int],
    pairs: dict[tuple[int, int], dict[int, int]],
) -> list[Column]:
    """The columns: each element joins that of the first list in `order` with which it is paired."""
    columns: list[Column] = []
    column_of: dict[tuple[int, int], Column] = {}
    for rank, m in enumerate(order):
        for at in range(len(lists[m])):
            for other in order[:rank]:
                partner = pairs[m, other].get(at)
                column = None if partner is None else column_of[other, partner]
                if column is not None and m not in column:
                    break
            else:
                column = {}
                columns.append(column)
            column[m] = at
            column_of[m, at] = column
    return columns


def _in_order(columns: list[Column], most: int, weights: Sequence[float]) -> list[Column]:
    """The columns in the order of the list `most`, and the others where most lists have them."""
    ordered = [column for column in columns if most in column]
    for column in columns:
        if most in column:
            continue
        # Placed after k columns, it agrees with the lists that have it later than these k.
        gain = best = 0.0
        place = 0
        for k, other in enumerate(ordered, start=1):
            both = column.keys() & other.keys()
            gain += sum(weights[m] if other[m] < column[m] else -weights[m] for m in sorted(both))
            if round(gain - best, 9) > 0:
                best, place = gain, k
        ordered.insert(place, column)
    return ordered


def _paired(
    one: Sequence[Element], other: Sequence[Element], *, gaps: bool
) -> tuple[dict[int, int], float]:
    """The pairs of two lists' elements, and how alike the lists are, from 0 to 1."""
    pairs = _equal(one, other)
    rows = [at for at in range(len(one)) if at not in pairs]
    taken = set(pairs.values())
    columns = [at for at in range(len(other)) if at not in taken]
    likeness = _likeness([one[at] for at in rows], [other[at] for at in columns])
    longest = max(len(one), len(other), 1)
    for row, found in zip(rows, likeness, strict=True):
        for column in found:
            found[column] += _NEARNESS * (1 - abs(row - columns[column]) / longest)
    score = float(len(pairs))
    for row, column in best_pairs(likeness).items():
        pairs[rows[row]] = columns[column]
        score += likeness[row][column]
    if gaps:
        _fill_gaps(pairs, len(one), len(other))
    return pairs, score / longest if one or other else 1.0


def _equal(one: Sequence[Element], other: Sequence[Element]) -> dict[int, int]:
    """The pairs of equal elements, the first with the first."""
    places: dict[str, list[int]] = defaultdict(list)
    for at in range(len(other) - 1, -1, -1):
        places[other[at].text].append(at)
    return {at: places[each.text].pop() for at, each in enumerate(one) if places.get(each.text)}


def _likeness(one: Sequence[Element], other: Sequence[Element]) -> list[dict[int, float]]:
    """For each element of the one list, how alike those of the other are that may be the same."""
    few = len(one) * len(other) <= _ALL_PAIRS
    candidates = [[*range(len(other))]] * len(one) if few else _sharing(one, other)
    found: list[dict[int, float]] = []
    for element, places in zip(one, candidates, strict=True):
        each = {at: alike_elements(element, other[at]) for at in places}
        found.append({at: value for at, value in each.items() if value >= LEAST_ALIKE})
    return found


def _sharing(one: Sequence[Element], other: Sequence[Element]) -> list[list[int]]:
    """For each element, those with which it shares the most that few have."""
    holders: dict[object, list[int]] = defaultdict(list)
    for at, element in enumerate(other):
        for feature in element.features:
            holders[feature].append(at)
    rare = {feature: places for feature, places in holders.items() if len(places) <= _COMMON}
    found = []
    for place, element in enumerate(one):
        counts: dict[int, float] = defaultdict(float)
        for feature in element.features & rare.keys():
            places = rare[feature]
            for at in places:
                counts[at] += 1 / len(places)
        ranked = nsmallest(
            _CANDIDATES, counts, key=lambda at: (-round(counts[at], 9), abs(at - place), at)
        )
        near = [place] if place < len(other) and place not in ranked else []
        found.append([*ranked, *near])
    return found


def _fill_gaps(pairs: dict[int, int], rows: int, columns: int) -> None:
    """Pair what stands between the same pairs, where both lists have equally many there.

    An element that two members give in wholly different words is still the same one.
    """
    known = [(-1, -1), *sorted(pairs.items()), (rows, columns)]
    for (row, column), (next_row, next_column) in pairwise(known):
        if next_row - row == next_column - column > 1:
            taken = set(pairs.values())
            between = range(column + 1, next_column)
            if not taken.intersection(between):
                pairs |= dict(zip(range(row + 1, next_row), between, strict=True))
