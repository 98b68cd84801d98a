"""Whether two answers are the same, and whether they contradict each other.

Similar text never counts: `safe` and `not safe`, or 41 and 42, look alike but are different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from consortium_mcp.core.answers.arithmetic import Number
from consortium_mcp.core.answers.quantities import Quantity, counted_in, may_be_the_same

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["number", "choice", "truth", "date", "tuple", "set", "expression", "words"]


class Answer(NamedTuple):
    """An answer, parsed for comparison."""

    kind: Kind
    value: object
    """Hashable; equal for answers that mean the same."""
    unit: str | None = None
    """The unit of a number, where one was given."""


def same(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers mean the same. A missing unit is taken to be the other's."""
    if one is None or other is None or one.kind != other.kind:
        return False
    if one.value == other.value and (one.unit == other.unit or None in {one.unit, other.unit}):
        return True
    if one.unit and other.unit:
        return _in_base_unit(one) == _in_base_unit(other)
    return _is_percent_of(one, other) or _is_percent_of(other, one)


def contradict(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers certainly cannot both be right.

    True for two letters of a choice, a yes and a no, a phrase and its negation, and two numbers
    that differ by more than rounding or another unit can explain. False for names and other
    phrases, which may be spelled in many ways.
    """
    if one is None or other is None or one.kind != other.kind or same(one, other):
        return False
    if one.kind == "words":
        return f"not {one.value}" == other.value or f"not {other.value}" == one.value
    if isinstance(one.value, Number) and isinstance(other.value, Number):
        return not may_be_the_same(Quantity(one.value, one.unit), Quantity(other.value, other.unit))
    return one.kind in {"choice", "truth"}


def _in_base_unit(answer: Answer) -> tuple[str | None, Number]:
    """A number in the base unit of its kind."""
    return counted_in(answer.value, answer.unit)  # type: ignore[arg-type]  # units have numbers


def group(answers: Sequence[Answer | None]) -> tuple[tuple[int, ...], ...]:
    """Group the answers that mean the same; returns their indices, ordered by each group's first.

    `same` is not an equivalence relation: `5` is the same as `5 h` and as `5 min`. Where a value
    comes with several units, each unit forms a group, and the answers without a unit form another.
    An answer that could not be read is a group by itself.
    """
    keys = {answer for answer in answers if answer is not None}
    groups: dict[object, list[int]] = {}
    for place, answer in enumerate(answers):
        key = ("alone", place) if answer is None else _group_key(answer, keys)
        groups.setdefault(key, []).append(place)
    return tuple(tuple(each) for each in groups.values())


def _group_key(answer: Answer, others: set[Answer]) -> object:
    """The key of this answer's group."""
    if answer.unit == "%" and _same_value(answer, others) == {answer}:
        shares = [o for o in others if _is_percent_of(answer, o) and _same_value(o, others) == {o}]
        return shares[0] if shares else answer
    if answer.unit:
        return _in_base_unit(answer)
    quantities = _with_unit(answer, others)
    rivals = {o.value for o in others if o.unit is None and quantities & _with_unit(o, others)}
    return next(iter(quantities)) if len(quantities) == len(rivals) == 1 else answer


def _with_unit(bare: Answer, others: set[Answer]) -> set[tuple[str | None, Number]]:
    """The quantities that this number is among the others, one for each unit it comes with."""
    return {_in_base_unit(each) for each in _same_value(bare, others) if each.unit}


def _same_value(answer: Answer, others: set[Answer]) -> set[Answer]:
    """The answers with the same number or words, whatever the unit."""
    return {o for o in others if o.kind == answer.kind and o.value == answer.value}


def _is_percent_of(percent: Answer, share: Answer) -> bool:
    """Whether `percent` is `share` in percent: `50%` and `0.5`."""
    if percent.unit != "%" or share.unit is not None or share.kind != "number":
        return False
    return isinstance(percent.value, Number) and percent.value.hundredth() == share.value
