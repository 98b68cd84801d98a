"""The text most like the others: what to show of open answers where nobody judges them.

Texts are compared by their runs of three to five characters, weighed by TF-IDF (Salton and Buckley,
1988): what all texts have counts little. How often a run occurs counts by its logarithm, else long
texts would be like everything. The most central text is the medoid, the one with the largest mean
similarity to the others. This chooses a text; it says nothing of what texts mean, so nothing is
called the same for being alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUNS = (3, 4, 5)
"""Lengths of the runs of characters, blanks at the ends of words included."""
MOST_CHARACTERS = 8_000
"""Of each text; what it is about shows long before."""
_WORD = re.compile(r"\S+")
Vector = dict[str, float]


def most_central(texts: Mapping[str, str], weights: Mapping[str, float]) -> list[str]:
    """The labels of the most central text; several where equally central ones are.

    Of two texts each is as like the other, so weights alone tell them apart.

    Args:
        texts: by label; at least one.
        weights: how much likeness to each label's text counts, to its own as well.
    """
    vectors = dict(zip(texts, _vectors([*texts.values()]), strict=True))
    likeness = {
        label: round(sum(weights[other] * _cosine(vector, vectors[other]) for other in texts), 9)
        for label, vector in vectors.items()
    }
    most = max(likeness.values())
    return [label for label in texts if likeness[label] == most]


def _vectors(texts: Sequence[str]) -> list[Vector]:
    """Each text as a vector of length 1."""
    counts = [_runs(text) for text in texts]
    documents = Counter(run for each in counts for run in each)
    rarity = {run: math.log((1 + len(texts)) / (1 + n)) + 1 for run, n in documents.items()}
    found = []
    for each in counts:
        vector = {run: (1 + math.log(n)) * rarity[run] for run, n in each.items()}
        length = math.sqrt(sum(x * x for x in vector.values())) or 1.0
        found.append({run: x / length for run, x in vector.items()})
    return found


def _runs(text: str) -> Counter[str]:
    words = (f" {word} " for word in _WORD.findall(text[:MOST_CHARACTERS].lower()))
    return Counter(
        word[start : start + length]
        for word in words
        for length in RUNS
        for start in range(max(1, len(word) - length + 1))
    )


def _cosine(one: Vector, other: Vector) -> float:
    return sum(x * other.get(run, 0.0) for run, x in one.items())
