"""When two values are the same, and how alike two texts or two elements of a list are.

Being the same is what votes are counted by, and it is decided as for answers: by value. Likeness
only breaks ties, and pairs the elements of lists; it never makes two values one.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations, pairwise
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.core.answers.equivalence import group
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.structured.values import canonical, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.structured.places import Place
    from consortium_mcp.core.structured.values import Path

PRECISION_COUNTS = 2
"""How much more it counts that a text says nothing the others do not say, than that it says all
that they do: F-measure with beta = 1/2 (van Rijsbergen, 1979). What one model adds to what all say
is more often wrong than what it leaves out."""


def groups_of(values: Sequence[object], place: Place) -> list[tuple[int, ...]]:
    """Group the values that mean the same; their indices, by each group's first."""
    keys = [_key(value, place) for value in values]
    texts = [key for key in dict.fromkeys(keys) if isinstance(key, _Text)]
    meaning: dict[object, object] = {}
    for places in group([read(text.shown) for text in texts]):
        meaning |= {texts[each]: texts[places[0]] for each in places}
    found: dict[object, list[int]] = {}
    for index, key in enumerate(keys):
        found.setdefault(meaning.get(key, key), []).append(index)
    return [tuple(places) for places in found.values()]


class _Text(NamedTuple):
    """A text that is compared by what it means."""

    shown: str


def _key(value: object, place: Place) -> object:
    if isinstance(value, str):
        shown = " ".join(value.split())
        return ("symbol", shown.casefold()) if place.exact else _Text(shown)
    if isinstance(value, bool) or value is None:
        return value, "truth"
    if isinstance(value, int | float):
        return value, "number"  # 3 and 3.0 are equal
    return canonical(value), "other"


def spelling(value: object) -> object:
    """The same for values that differ in case and punctuation alone."""
    return (isinstance(value, str) and tuple(_bare(value))) or canonical(value)


def _bare(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return "".join(
        c if c.isalnum() else " " if c.isspace() else "" for c in text.casefold()
    ).split()


class Words(NamedTuple):
    """A text as the words and pairs of words in it."""

    counts: Counter[object]
    size: int


@lru_cache(maxsize=8192)
def words_of(text: str) -> Words:
    """The words of a text and the pairs of neighbours; case and punctuation do not count."""
    words = _bare(text)
    counts: Counter[object] = Counter(words)
    counts.update(pairwise(words))
    return Words(counts, sum(counts.values()))


def shared(one: Words, other: Words) -> int:
    """The words and pairs of words that two texts have both."""
    mine, theirs = one.counts, other.counts
    both = mine.keys() & theirs.keys()
    return sum([min(mine[word], theirs[word]) for word in both]) if both else 0


def support(text: str, other: str) -> float:
    """How far another text says the same as this one, from 0 to 1; see `PRECISION_COUNTS`."""
    mine, theirs = words_of(text), words_of(other)
    if not mine.size or not theirs.size:
        return float(text == other)
    both = shared(mine, theirs)
    # F-measure: (1 + b²)·P·R / (b²·P + R), in counts
    square = 1 / PRECISION_COUNTS**2
    return (1 + square) * both / (square * theirs.size + mine.size)


def alike(one: object, other: object) -> float:
    """How alike two plain values are, from 0 to 1: texts by their words, others not or wholly."""
    if isinstance(one, str) and isinstance(other, str):
        if one == other:
            return 1.0
        mine, theirs = words_of(one), words_of(other)
        total = mine.size + theirs.size
        return 2 * shared(mine, theirs) / total if total else 0.0
    return float(one == other and isinstance(one, bool) == isinstance(other, bool))


class Element(NamedTuple):
    """An element of a list, taken apart for comparison."""

    parts: dict[Path, object]
    """Its leaves."""
    features: frozenset[object]
    """What it can share with another: its values, and the words of its texts."""
    text: str
    """The same for equal elements."""


def element_of(value: object) -> Element:
    """Take an element apart."""
    parts = dict(leaves(value))
    features: set[object] = set()
    for path, leaf in parts.items():
        if isinstance(leaf, str):
            features.update([(path, word) for word in words_of(leaf).counts])
        else:
            features.add((path, str(leaf)))
    return Element(parts, frozenset(features), canonical(value))


def alike_elements(one: Element, other: Element) -> float:
    """How alike two elements are: the mean over the parts that one of them has."""
    if one.text == other.text:
        return 1.0
    both = one.parts.keys() & other.parts.keys()
    every = len(one.parts) + len(other.parts) - len(both)
    return fsum([alike(one.parts[path], other.parts[path]) for path in both]) / every


def standing(objects: Sequence[object], weights: Sequence[float]) -> list[float]:
    """How alike each object is to the others, from 0 to 1, over the leaves that one of two has.

    It says how far a member is believed where votes are equal: of members that are right
    independently, the one that agrees more with the others is right more often, as wrong values
    scatter. No label is needed; the fields of one object are as many votes. It settles ties only.

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
