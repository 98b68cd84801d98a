"""Pairs two lists' elements so that the pairs are as alike as they can be, all taken together.

Best assignment by shortest augmenting paths with potentials (Jonker and Volgenant, 1987), on the
pairs that are worth looking at. An element may stay alone.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STEPS = 10**9
"""Likeness is counted in whole steps, so that sums are exact and equal sums compare equal."""


def best_pairs(likeness: Sequence[Mapping[int, float]]) -> dict[int, int]:
    """The pairs (row, column) with the highest sum of likeness; each row and column is in one.

    Args:
        likeness: for each row, column -> likeness, above 0; what is left out is no pair.
    """
    matching = _Matching(likeness)
    for row in range(len(likeness)):
        matching.add(row)
    return matching.pairs()


class _Matching:
    """The best matching of the rows so far. Column `-1 - row` says that a row stays alone."""

    def __init__(self, likeness: Sequence[Mapping[int, float]]) -> None:
        self._costs = [
            {-1 - row: 0, **{column: -round(_STEPS * each) for column, each in columns.items()}}
            for row, columns in enumerate(likeness)
        ]
        self._prices: dict[int, int] = {}
        self._row_of: dict[int, int] = {}
        self._column_of: dict[int, int] = {}

    def pairs(self) -> dict[int, int]:
        return {row: column for row, column in sorted(self._column_of.items()) if column >= 0}

    def add(self, row: int) -> None:
        """Match one more row, along the cheapest path that moves others."""
        paths: dict[int, tuple[int, int]] = {}  # column -> what it costs, and the row it came from
        done: dict[int, int] = {}
        heap: list[tuple[int, int]] = []
        mover, spent = row, 0
        while True:
            for column in self._costs[mover]:
                cost = spent + self._reduced(mover, column)
                if column not in done and (column not in paths or cost < paths[column][0]):
                    paths[column] = cost, mover
                    heappush(heap, (cost, column))
            cost, column = heappop(heap)
            while column in done:
                cost, column = heappop(heap)
            done[column] = cost
            if column not in self._row_of:
                break
            mover = self._row_of[column]
            spent = cost - self._reduced(mover, column)
        for each, price in done.items():
            self._prices[each] = self._prices.get(each, 0) + price - cost
        self._move(column, paths)

    def _move(self, column: int, paths: Mapping[int, tuple[int, int]]) -> None:
        """Give each row on the path the next column."""
        left: int | None = column
        while left is not None:
            column, mover = left, paths[left][1]
            left = self._column_of.get(mover)
            self._column_of[mover], self._row_of[column] = column, mover

    def _reduced(self, row: int, column: int) -> int:
        return self._costs[row][column] - self._prices.get(column, 0)
