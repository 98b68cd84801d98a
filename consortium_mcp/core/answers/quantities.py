"""Parses numbers with units as people write: `$5M`, `3 hrs`, `two thirds`, `60 miles per hour`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from consortium_mcp.core.answers import number_words
from consortium_mcp.core.answers.arithmetic import Number, evaluate
from consortium_mcp.core.answers.units import SIZES, currency_of, is_known, unit_of


class Quantity(NamedTuple):
    """A number, with the canonical name of its unit if it has one."""

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
"""For money only, as elsewhere they are also units; `kelvin` is what `K` became earlier."""


def quantity(shown: str) -> Quantity | None:
    """Parse a normalised text as a quantity; `None` where it is not one.

    Args:
        shown: the text, in lower case; `units.with_case_told` has spelled out what case meant.
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
        return _in_smaller_unit(*two.groups())
    found = _WITH_UNIT.fullmatch(shown)
    value = evaluate(found[1]) if found else None
    if found is None or value is None:
        return None
    factor, words = _split_scale(found[2].strip(" ."), is_money=unit is not None)
    value = value.times(factor)
    words = re.sub(r"^(?:a|an|each|every) ", "per ", words.removeprefix("of ").strip())
    if not words:
        return Quantity(value, unit)
    name = unit_of(words)
    return None if name is None else Quantity(value, unit or name or None)


def _split_scale(words: str, *, is_money: bool) -> tuple[int, str]:
    """Split `million dollars` into 10**6 and `dollars`; the factor is 1 without a scale."""
    scale, _, after = words.partition(" ")
    factor = _SCALES.get(scale)
    if factor is None and scale != "dozens":  # dozens are a unit: "how many dozens?"
        factor = _SCALES.get(scale.removesuffix("s"))
    if factor is None and (is_money or currency_of(after) is not None):
        factor = _SHORT_SCALES.get(scale)
    return (1, words) if factor is None else (factor, after)


def _in_smaller_unit(first: str, large: str, second: str, small: str) -> Quantity | None:
    """`1 hour 30 minutes` in the smaller unit, if both are units of one kind."""
    units = unit_of(large) or "", unit_of(small) or ""
    (base, size), (other_base, other_size) = (SIZES.get(unit, ("", 0)) for unit in units)
    if not base or base != other_base or size <= other_size:
        return None
    return Quantity(Number(Fraction(first) * size / other_size + Fraction(second)), units[1])


def counted_in(value: Number, unit: str | None) -> tuple[str | None, Number]:
    """Convert to the base unit of its kind, so that 1 hour and 60 minutes are one value."""
    if unit not in SIZES:
        return unit, value
    base, size = SIZES[unit]
    return base, value.times(size)


def may_be_the_same(one: Quantity, other: Quantity) -> bool:
    """Whether rounding, another unit or a missing one can explain that two quantities differ."""
    if one.unit == other.unit:
        return _may_be_rounded(one.value, other.value)
    if one.unit and other.unit:
        return _in_other_units(one, other)
    bare, with_unit = (one, other) if one.unit is None else (other, one)
    if with_unit.unit == "%":
        share = with_unit.value.hundredth()
        return any(_may_be_rounded(bare.value, v) for v in (with_unit.value, share))
    if with_unit.unit not in SIZES:
        return is_known(with_unit.unit or "") or _may_be_rounded(bare.value, with_unit.value)
    base, size = SIZES[with_unit.unit]
    sizes = [size / each for name, each in SIZES.values() if name == base]
    sizes += [Fraction(1000) ** power for power in range(-4, 5)]
    return any(
        _may_be_rounded(bare.value, with_unit.value)
        if each == 1
        else _is_near(bare.value, with_unit.value.times(each), with_unit.value.grain * each)
        for each in sizes
    )


def _in_other_units(one: Quantity, other: Quantity) -> bool:
    if not (one.unit in SIZES and other.unit in SIZES):
        return True  # unknown names may mean the same unit
    (base, size), (other_base, other_size) = SIZES[one.unit], SIZES[other.unit]
    if base != other_base:
        return True
    converted, grain = one.value.times(size), one.value.grain * size
    return converted.is_within(
        other.value.times(other_size), max(grain, other.value.grain * other_size) / 2
    )


def _is_near(bare: Number, converted: Number, grain: Fraction) -> bool:
    return bare.is_within(converted, max(bare.grain, grain) / 2)


def _may_be_rounded(one: Number, other: Number) -> bool:
    """Whether one may be the other, rounded; whole numbers are exact."""
    if one.is_whole and other.is_whole:
        return one == other
    if one.grain == Fraction(1, 1000) and one.times(1000) == other:
        return True  # 1.234, where the point groups thousands
    if other.grain == Fraction(1, 1000) and other.times(1000) == one:
        return True
    return one.is_within(other, max(one.grain, other.grain) / 2)
