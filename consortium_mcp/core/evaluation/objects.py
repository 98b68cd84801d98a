"""Recorded JSON objects, and the scores of an object against the right one.

The scores are those of the public data set that such recordings come from (JigsawStack/sob): gold's
leaves are looked up at the same path, so an element too many at the end of a list costs nothing,
and one in the wrong place costs its leaves.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from statistics import fmean
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from consortium_mcp.core.structured.values import Path, leaves


class ObjectRecording(BaseModel):
    """One task with the object that each model gave: one line of a recordings file."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: int | str
    question: str = ""
    object_schema: dict[str, Any] = Field(alias="schema")
    """JSON Schema of the answer."""
    gold: dict[str, Any]
    answers: dict[str, Any]
    """Model -> the object it gave, or its text where that was no JSON, or `null`."""

    def reply(self, model: str) -> str:
        """What the model replied, as text; empty where nothing is recorded."""
        answer = self.answers.get(model)
        return answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer)


class Scores(NamedTuple):
    """How far an object is right: the means over gold's leaves."""

    em: float
    """The share that is equal after lower case, without punctuation and articles."""
    f1: float
    """The mean token F1; 0 where the leaf is missing."""


def scores(answer: object, gold: object) -> Scores:
    """The scores of an object; an empty gold has none to miss and gives 1."""
    given, wanted = _plain_leaves(answer), _plain_leaves(gold)
    if not wanted:
        return Scores(1.0, 1.0)
    pairs = [(given[path], value) if path in given else None for path, value in wanted.items()]
    return Scores(
        em=fmean(pair is not None and is_equal(*pair) for pair in pairs),
        f1=fmean(0.0 if pair is None else token_f1(*pair) for pair in pairs),
    )


def right_leaves(answer: object, gold: object) -> dict[Path, bool]:
    """For each leaf of an object, whether gold has an equal value at the same path."""
    wanted = _plain_leaves(gold)
    return {
        path: path in wanted and is_equal(value, wanted[path])
        for path, value in _plain_leaves(answer).items()
    }


def is_equal(one: object, other: object) -> bool:
    """Whether two plain values are equal: numbers as numbers, others by their words."""
    if _is_number(one) and _is_number(other):
        return one == other
    return _words(one) == _words(other)


def token_f1(one: object, other: object) -> float:
    """Token F1 of two plain values."""
    if is_equal(one, other):
        return 1.0
    mine, theirs = Counter(_words(one)), Counter(_words(other))
    both = sum((mine & theirs).values())
    return 2 * both / (mine.total() + theirs.total()) if both else 0.0


def _plain_leaves(value: object) -> dict[Path, object]:
    return {path: leaf for path, leaf in leaves(value) if not isinstance(leaf, dict | list)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_PUNCTUATION = re.compile(r"[^\w\s]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def _words(value: object) -> list[str]:
    return _ARTICLES.sub(" ", _PUNCTUATION.sub("", str(value).lower())).split()
