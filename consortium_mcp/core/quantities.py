"""Numbers with units as people write them: `$5M`, `3 hrs`, `two thirds`, `60 miles per hour`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from consortium_mcp.core.arithmetic import Number, evaluate


class Quantity(NamedTuple):
    """A number, with its unit's one name if it has one."""

    value: Number
    unit: str | None


def quantity(shown: str) -> Quantity | None:
    """The quantity that a tidied text is, or `None`.

    Args:
        shown: lower case, but for what `with_case_told` has put into words.
    """
    shown = _HEDGES.sub("", shown)
    unit: str | None = None
    if sign := _SIGN_BEFORE.match(shown):
        unit = _CURRENCIES[sign[2]]
        shown = sign[1] + shown[sign.end() :]
    shown = re.sub(r"(?<=[0-9])\s*/\s*(?=[a-z])", " per ", _in_digits(shown))
    if (whole := evaluate(shown)) is not None:
        return Quantity(whole, unit)
    found = _WITH_UNIT.fullmatch(shown)
    value = evaluate(found[1]) if found else None
    if found is None or value is None:
        return None
    words = (found[2] or "").strip(" .")
    scale, _, after = words.partition(" ")
    money = unit is not None or _CURRENCIES.get(after.removesuffix("s")) is not None
    if factor := _SCALES.get(scale) or (money and _SHORT_SCALES.get(scale)):
        value, words = value.times(factor), after
    words = words.removeprefix("of ").strip()
    if _NO_UNIT.match(words) or not _NO_UNIT_WORDS.isdisjoint(words.split()):
        return None
    if len(words.split()) > _MOST_UNIT_WORDS:  # "5 pounds of insects a day for the whole flock"
        first = _unit(words.split()[0])
        words = first if first in _NAMES else ""
    return Quantity(value, unit or _unit(words))


_MEGA = re.compile(r"(?<=[0-9])(\s?)M(?=(?:Hz|Wh?|J|Pa|V|A|N|eV|bps|Bytes?|bytes?|bits?|[Bb])?\b)")
_CAPITAL = re.compile(r"(?<=[0-9] )([JNWVAKF])\b")
_CAPITALS = {"J": "joule", "N": "newton", "W": "watt", "V": "volt", "A": "ampere", "K": "kelvin",
             "F": "farad"}  # fmt: skip


def with_case_told(text: str) -> str:
    """The text with what only its capitals say in words: 5 MW are not 5 mW."""
    text = _MEGA.sub(r"\1mega", text)
    return _CAPITAL.sub(lambda found: _CAPITALS[found[1]], text)


# The number

_AMOUNT = r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_WITH_UNIT = re.compile(
    rf"({_AMOUNT}(?:\s*/\s*[0-9]+(?:\.[0-9]+)?|\s+[0-9]+\s*/\s*[0-9]+)?"
    r"(?:\s*[×x*]\s*10\s*\^\s*[(]?[-+]?[0-9]+[)]?|e[-+]?[0-9]+)?)"
    r"\s*([^0-9\s+*/^=(][^0-9=+*]*(?:(?<=\S)\^?[23])?)?"
)
_HEDGES = re.compile(r"^(?:approximately|approx\.?|about|around|roughly|exactly|[~≈])\s*")
_SCALES = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9,
           "trillion": 10**12}  # fmt: skip
_SHORT_SCALES = {"k": 10**3, "kelvin": 10**3, "m": 10**6, "mega": 10**6, "mn": 10**6,
                 "mil": 10**6, "b": 10**9, "bn": 10**9, "t": 10**12, "tn": 10**12}  # fmt: skip
"""Of money only; `kelvin` is what `5 K` was taken for."""

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IN_WORDS = {word: number for number, word in enumerate(_ONES)}
_IN_WORDS |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
_IN_WORDS |= {
    f"{ten}-{one}": _IN_WORDS[ten] + _IN_WORDS[one] for ten in _TENS for one in _ONES[1:10]
}
_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
          "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100,
          "thousandth": 1000}  # fmt: skip
_FRACTION = re.compile(
    rf"(?:([0-9]+) and )?(?:(a|an|{'|'.join(_ONES[1:13])})[ -]({'|'.join(_PARTS)})s?|half)"
    r"(?= of |$)"
)


def _in_digits(shown: str) -> str:
    """A number at the beginning that is in words, in digits: `two thirds`, `twenty-one days`."""
    if part := _FRACTION.match(shown):
        whole, count, name = part.groups()
        upper = _IN_WORDS.get(count or "", 1)
        return f"{whole or ''} {upper}/{_PARTS[name or 'half']}{shown[part.end() :]}".strip()
    shown = re.sub(r"^([0-9]+) and (?=[0-9]+/[0-9]+)", r"\1 ", shown)
    words = shown.split(" ")
    if "-".join(words[:2]) in _IN_WORDS:
        words[:2] = ["-".join(words[:2])]
    return " ".join([str(_IN_WORDS.get(words[0], words[0])), *words[1:]])


# The unit

_CURRENCIES = {"$": "$", "usd": "$", "us$": "$", "dollar": "$", "€": "€", "eur": "€", "euro": "€",
               "£": "£", "gbp": "£", "pound sterling": "£", "¥": "¥", "jpy": "¥", "yen": "¥",
               "₹": "₹", "inr": "₹", "rupee": "₹"}  # fmt: skip
_SIGN_BEFORE = re.compile(r"([-+]?)\s*(us\$|usd|eur|gbp|jpy|inr|[$€£¥₹])\s*(?=[-+]?[0-9.])")
_UNITS = {
    "percent": "%", "per cent": "%", "pct": "%", "percentage": "%", "hr": "hour", "h": "hour",
    "min": "minute", "sec": "second", "s": "second", "yr": "year", "wk": "week",
    "kilometer": "km", "kilometre": "km", "meter": "m", "metre": "m", "centimeter": "cm",
    "centimetre": "cm", "millimeter": "mm", "millimetre": "mm", "kilogram": "kg", "gram": "g",
    "gramme": "g", "milligram": "mg", "lb": "pound", "ounce": "oz", "feet": "foot", "ft": "foot",
    "inches": "inch", "in": "inch", "yd": "yard", "mi": "mile", "mph": "mile/hour",
    "kph": "km/hour", "liter": "l", "litre": "l", "milliliter": "ml", "millilitre": "ml",
    "deg": "°", "degree": "°", "degrees celsius": "°c", "degree celsius": "°c", "celsius": "°c",
    "degrees fahrenheit": "°f", "degree fahrenheit": "°f", "fahrenheit": "°f", "cent": "¢",
    "kilobyte": "kb", "mb": "megabyte", "megab": "megabyte", "gigabyte": "gb", "terabyte": "tb",
    "hertz": "hz", "kilohertz": "khz", "megahz": "megahertz", "mhz": "megahertz",
    "gigahertz": "ghz", "kilowatt": "kw", "megaw": "megawatt", "milliwatt": "mw",
    "kilojoule": "kj", "pascal": "pa", "kilopascal": "kpa", "amp": "ampere", "mole": "mol",
    "people": "person", "children": "child", "men": "man", "women": "woman",
}  # fmt: skip
_SIZES = {
    "second": ("second", Fraction(1)), "minute": ("second", Fraction(60)),
    "hour": ("second", Fraction(3600)), "day": ("second", Fraction(86400)),
    "week": ("second", Fraction(604800)),
    "mm": ("mm", Fraction(1)), "cm": ("mm", Fraction(10)), "m": ("mm", Fraction(1000)),
    "km": ("mm", Fraction(10**6)), "inch": ("mm", Fraction(254, 10)),
    "foot": ("mm", Fraction(3048, 10)), "yard": ("mm", Fraction(9144, 10)),
    "mile": ("mm", Fraction(1609344)),
    "mg": ("mg", Fraction(1)), "g": ("mg", Fraction(1000)), "kg": ("mg", Fraction(10**6)),
    "oz": ("oz", Fraction(1)), "pound": ("oz", Fraction(16)),
    "ml": ("ml", Fraction(1)), "l": ("ml", Fraction(1000)),
    "¢": ("¢", Fraction(1)), "$": ("¢", Fraction(100)),
}  # fmt: skip
"""Units that others can be told in -> the one they are counted in, and how many of it they are."""
_NAMES = {*_UNITS.values(), *_CURRENCIES.values(), *_SIZES, "megahertz", "megabyte"}
_MOST_UNIT_WORDS = 4
_NO_UNIT = re.compile(r"(?:and|or|to|at)\b|[,_:]|.*[,;:]|[a-bd-fi-kn-rt-z]$")
_NO_UNIT_WORDS = {
    "not", "no", "never", "is", "isn't", "are", "aren't", "was", "wrong", "incorrect", "out",
    "squared", "cubed", "plus", "minus", "factorial", "more", "less", "fewer", "above", "below",
    "over", "under", "dozen", *_PARTS, *(f"{part}s" for part in _PARTS),
} - {"quarter", "quarters"}  # fmt: skip
"""What makes another number of the one before it, or takes it back."""


def _unit(words: str) -> str | None:
    """A unit's one name: `hours`, `hrs` and `h` are `hour`, `m/s` and `meters per second` one."""
    words = words.replace("²", "^2").replace("³", "^3")
    names = [_one_unit(each) for each in re.split(r"\s*/\s*|\s*\bper\b\s*(?!cent)", words)]
    return "/".join(names) or None


def _one_unit(words: str) -> str:
    for power, named in (("^2", ("square ", "sq ", "sq. ")), ("^3", ("cubic ", "cu ", "cu. "))):
        for name in named:
            if words.startswith(name):
                words = f"{words[len(name) :]}{power}"
    stem, caret, exponent = words.partition("^")
    single = stem.strip()
    if not caret and single[-1:] in {"2", "3"}:  # cm2
        single, caret, exponent = single[:-1], "^", single[-1]
    for name in (single, single.removesuffix("s"), single.removesuffix("es")):
        known = _CURRENCIES.get(name) or _UNITS.get(name) or (name if name in _NAMES else None)
        if known:
            return known + caret + exponent
    if single.endswith(("xes", "shes", "ches", "sses")):
        single = single.removesuffix("es")
    elif len(single) > len("gas") and single.endswith("s") and not single.endswith("ss"):
        single = single.removesuffix("s")
    return single + caret + exponent


def counted_in(value: Number, unit: str | None) -> tuple[str | None, Number]:
    """The same in the unit that its kind is counted in: 1 hour and 60 minutes are one value."""
    if unit not in _SIZES:
        return unit, value
    base, size = _SIZES[unit]
    return base, value.times(size)


def could_be(bare: Number, value: Number, unit: str) -> bool:
    """Whether a number without a unit is this quantity in another unit: 3000, and 3 km."""
    if unit not in _SIZES:
        return False
    base, size = _SIZES[unit]
    return any(
        bare.times(other) == value.times(size) for named, other in _SIZES.values() if named == base
    )
