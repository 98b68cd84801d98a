"""Numbers with units as people write them: `$5M`, `3 hrs`, `two thirds`, `60 miles per hour`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from consortium_mcp.core.answers import number_words
from consortium_mcp.core.answers.arithmetic import Number, evaluate
from consortium_mcp.core.answers.units import SIZES, currency_of, is_known, unit_of


class Quantity(NamedTuple):
    """A number, with its unit's one name if it has one."""

    value: Number
    unit: str | None


_AMOUNT = r"[-+]?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_WITH_UNIT = re.compile(
    rf"({_AMOUNT}(?:\s*/\s*[0-9]+(?:\.[0-9]+)?|\s+[0-9]+\s*/\s*[0-9]+)?"
    r"(?:\s*[×x*]\s*10\s*\^\s*[(]?[-+]?[0-9]+[)]?|e[-+]?[0-9]+)?)"
    r"\s*([a-z°%$€£¥₹¢µμ'\"][^0-9=+*<>±≤≥(]*(?:(?<=[a-z])\^?[23])?)"
)
_TWO = re.compile(r"([0-9]+) ?([a-z'\"]+),?(?: and)? ([0-9]+(?:\.[0-9]+)?) ?([a-z'\"]+)")
_DECADE = re.compile(r"[0-9]{3}0s")
_HEDGES = re.compile(r"^(?:approximately|approx\.?|about|around|roughly|exactly|[~≈])\s*")
_SIGN_BEFORE = re.compile(r"([-+]?)\s*(us\$|usd|eur|gbp|jpy|inr|[$€£¥₹])\s*(?=[-+]?[0-9.])")
_SCALES = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "lakh": 10**5, "million": 10**6,
           "crore": 10**7, "billion": 10**9, "trillion": 10**12}  # fmt: skip
_SHORT_SCALES = {"k": 10**3, "kelvin": 10**3, "m": 10**6, "mega": 10**6, "mn": 10**6,
                 "mil": 10**6, "b": 10**9, "bn": 10**9, "t": 10**12, "tn": 10**12}  # fmt: skip
"""Of money only, for elsewhere they are units too; `kelvin` is what `5 K` was taken for."""


def quantity(shown: str) -> Quantity | None:
    """The quantity that a tidied text is, or `None`.

    Args:
        shown: lower case, but for what `units.with_case_told` has put into words.
    """
    shown = _HEDGES.sub("", shown)
    unit: str | None = None
    if sign := _SIGN_BEFORE.match(shown):
        unit = currency_of(sign[2])
        shown = sign[1] + shown[sign.end() :]
    shown = re.sub(r"(?<=[0-9])\s*/\s*(?=[a-z])", " per ", number_words.in_digits(shown))
    if (whole := evaluate(shown)) is not None:
        return Quantity(whole, unit)
    if _DECADE.fullmatch(shown):
        return None
    if two := _TWO.fullmatch(shown):
        return _of_two(*two.groups())
    found = _WITH_UNIT.fullmatch(shown)
    value = evaluate(found[1]) if found else None
    if found is None or value is None:
        return None
    factor, words = _scaled(found[2].strip(" ."), is_money=unit is not None)
    value = value.times(factor)
    words = re.sub(r"^(?:a|an|each|every) ", "per ", words.removeprefix("of ").strip())
    if not words:
        return Quantity(value, unit)
    named = unit_of(words)
    return None if named is None else Quantity(value, unit or named or None)


def _scaled(words: str, *, is_money: bool) -> tuple[int, str]:
    """`million dollars` as a million and `dollars`; 1 where the words begin with no scale."""
    scale, _, after = words.partition(" ")
    factor = _SCALES.get(scale)
    if factor is None and scale != "dozens":  # which are counted: "how many dozens?"
        factor = _SCALES.get(scale.removesuffix("s"))
    if factor is None and (is_money or currency_of(after) is not None):
        factor = _SHORT_SCALES.get(scale)
    return (1, words) if factor is None else (factor, after)


def _of_two(first: str, large: str, second: str, small: str) -> Quantity | None:
    """`1 hour 30 minutes`: in the smaller unit, if they are units of one kind."""
    units = unit_of(large) or "", unit_of(small) or ""
    (base, size), (other_base, other_size) = (SIZES.get(unit, ("", 0)) for unit in units)
    if not base or base != other_base or size <= other_size:
        return None
    return Quantity(Number(Fraction(first) * size / other_size + Fraction(second)), units[1])


def counted_in(value: Number, unit: str | None) -> tuple[str | None, Number]:
    """The same in the unit that its kind is counted in: 1 hour and 60 minutes are one value."""
    if unit not in SIZES:
        return unit, value
    base, size = SIZES[unit]
    return base, value.times(size)


def may_be_the_same(one: Quantity, other: Quantity) -> bool:
    """Whether rounding, another unit or one left out can explain that two quantities differ."""
    if one.unit == other.unit:
        return _may_be_rounded(one.value, other.value)
    if one.unit and other.unit:
        return _in_other_units(one, other)
    bare, told = (one, other) if one.unit is None else (other, one)
    if told.unit == "%":
        share = told.value.hundredth()
        return any(_may_be_rounded(bare.value, v) for v in (told.value, share))
    if told.unit not in SIZES:
        return is_known(told.unit or "") or _may_be_rounded(bare.value, told.value)
    base, size = SIZES[told.unit]
    sizes = [size / each for name, each in SIZES.values() if name == base]
    sizes += [Fraction(1000) ** power for power in range(-4, 5)]
    return any(
        _may_be_rounded(bare.value, told.value)
        if each == 1
        else _is_near(bare.value, told.value.times(each), told.value.grain * each)
        for each in sizes
    )


def _in_other_units(one: Quantity, other: Quantity) -> bool:
    if not (one.unit in SIZES and other.unit in SIZES):
        return True  # what this module does not know may be names of one unit
    (base, size), (other_base, other_size) = SIZES[one.unit], SIZES[other.unit]
    if base != other_base:
        return True
    mine, grain = one.value.times(size), one.value.grain * size
    return mine.is_within(
        other.value.times(other_size), max(grain, other.value.grain * other_size) / 2
    )


def _is_near(bare: Number, converted: Number, grain: Fraction) -> bool:
    return bare.is_within(converted, max(bare.grain, grain) / 2)


def _may_be_rounded(one: Number, other: Number) -> bool:
    """Whether one may be the other with fewer digits; whole numbers are exact."""
    if one.is_whole and other.is_whole:
        return one == other
    if one.grain == Fraction(1, 1000) and one.times(1000) == other:
        return True  # 1.234, with the point of those who group thousands by it
    if other.grain == Fraction(1, 1000) and other.times(1000) == one:
        return True
    return one.is_within(other, max(one.grain, other.grain) / 2)
