"""When two answers are the same, and when they contradict each other.

Never by similarity of text: `safe` and `not safe`, 41 and 42 stay apart, however alike they look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers.arithmetic import Number
from consortium_mcp.core.answers.quantities import Quantity, counted_in, may_be_the_same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.answers.answer import Answer


def same(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers mean the same. A unit that is left out is taken as the other's."""
    if one is None or other is None or one.kind != other.kind:
        return False
    if one.value == other.value and (one.unit == other.unit or None in {one.unit, other.unit}):
        return True
    if one.unit and other.unit:
        return _counted(one) == _counted(other)
    return _percent_of(one, other) or _percent_of(other, one)


def contradict(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers cannot both be right, whatever anyone says.

    Only where that is certain: two letters of a choice, a yes and a no, a phrase and its negation,
    two numbers that neither rounding nor another unit can explain. Names and other phrases may be
    spelled in many ways, so about them this says nothing.
    """
    if one is None or other is None or one.kind != other.kind or same(one, other):
        return False
    if one.kind == "words":
        return f"not {one.value}" == other.value or f"not {other.value}" == one.value
    if isinstance(one.value, Number) and isinstance(other.value, Number):
        return not may_be_the_same(Quantity(one.value, one.unit), Quantity(other.value, other.unit))
    return one.kind in {"choice", "truth"}


def _counted(answer: Answer) -> tuple[str | None, Number]:
    """A number in the unit that its kind is counted in."""
    return counted_in(answer.value, answer.unit)  # type: ignore[arg-type]  # units have numbers


def group(answers: Sequence[Answer | None]) -> tuple[tuple[int, ...], ...]:
    """Places of answers that mean the same, in order of their first.

    Sameness is no equivalence relation: `5` is the same as `5 h` and as `5 min`. Where a value
    comes with several units, each unit is a group, and answers without any are one of their own.
    What could not be read stands alone.
    """
    keys = {answer for answer in answers if answer is not None}
    joined: dict[object, list[int]] = {}
    for place, answer in enumerate(answers):
        key = ("alone", place) if answer is None else _group_of(answer, keys)
        joined.setdefault(key, []).append(place)
    return tuple(tuple(each) for each in joined.values())


def _group_of(answer: Answer, others: set[Answer]) -> object:
    """What stands for this answer's group."""
    if answer.unit == "%" and _alike(answer, others) == {answer}:
        shares = [o for o in others if _percent_of(answer, o) and _alike(o, others) == {o}]
        return shares[0] if shares else answer
    if answer.unit:
        return _counted(answer)
    meant = _with_unit(answer, others)
    rivals = {o.value for o in others if o.unit is None and meant & _with_unit(o, others)}
    return next(iter(meant)) if len(meant) == len(rivals) == 1 else answer


def _with_unit(bare: Answer, others: set[Answer]) -> set[tuple[str | None, Number]]:
    """What the same number with a unit says, for each unit."""
    return {_counted(each) for each in _alike(bare, others) if each.unit}


def _alike(answer: Answer, others: set[Answer]) -> set[Answer]:
    """Those with the same number or words, whatever the unit."""
    return {o for o in others if o.kind == answer.kind and o.value == answer.value}


def _percent_of(percent: Answer, share: Answer) -> bool:
    """Whether the one is the other in percent: `50%` and `0.5`."""
    if percent.unit != "%" or share.unit is not None or share.kind != "number":
        return False
    return isinstance(percent.value, Number) and percent.value.hundredth() == share.value
