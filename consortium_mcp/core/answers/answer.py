"""A short answer, parsed for comparison: a kind, a value, perhaps a unit."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["number", "choice", "truth", "date", "tuple", "set", "expression", "words"]


class Answer(NamedTuple):
    """An answer, parsed for comparison."""

    kind: Kind
    value: object
    """Hashable; equal for answers that mean the same."""
    unit: str | None = None
    """The unit of a number, where one was given."""
