"""The names of units, and how some convert to others."""

from __future__ import annotations

import re
from fractions import Fraction

from consortium_mcp.core.answers import number_words

_CURRENCIES = {"$": "$", "usd": "$", "us$": "$", "dollar": "$", "€": "€", "eur": "€", "euro": "€",
               "£": "£", "gbp": "£", "pound sterling": "£", "¥": "¥", "jpy": "¥", "yen": "¥",
               "₹": "₹", "inr": "₹", "rupee": "₹"}  # fmt: skip
_UNITS = {
    "percent": "%", "prozent": "%",
    "per cent": "%", "pct": "%", "percentage": "%", "%": "%",
    "ms": "millisecond", "msec": "millisecond", "µs": "microsecond", "μs": "microsecond",
    "ns": "nanosecond", "hr": "hour", "h": "hour", "min": "minute", "sec": "second",
    "s": "second", "yr": "year", "wk": "week", "a.m": "am", "p.m": "pm",
    "kilometer": "km", "kilometre": "km", "meter": "m", "metre": "m", "centimeter": "cm",
    "centimetre": "cm", "millimeter": "mm", "millimetre": "mm", "nanometer": "nm",
    "kilogram": "kg", "kilo": "kg", "gram": "g", "gramme": "g", "milligram": "mg",
    "lb": "pound", "ounce": "oz", "feet": "foot", "ft": "foot", "'": "foot", "inches": "inch",
    "in": "inch", '"': "inch", "yd": "yard", "mi": "mile", "mph": "mile/hour", "kph": "km/hour",
    "liter": "l", "litre": "l", "milliliter": "ml", "millilitre": "ml",
    "deg": "°", "degree": "°", "degrees celsius": "°c", "degree celsius": "°c", "celsius": "°c",
    "degrees c": "°c", "degrees fahrenheit": "°f", "degree fahrenheit": "°f",
    "fahrenheit": "°f", "degrees f": "°f", "radian": "rad", "cent": "¢",
    "kilobyte": "kb", "mb": "megabyte", "megab": "megabyte", "gigabyte": "gb", "terabyte": "tb",
    "hertz": "hz", "kilohertz": "khz", "megahz": "megahertz", "mhz": "megahertz",
    "gigahertz": "ghz", "kilowatt": "kw", "megaw": "megawatt", "milliwatt": "mw",
    "kilowatt hour": "kwh", "kilowatt-hour": "kwh", "kilojoule": "kj", "pascal": "pa",
    "kilopascal": "kpa", "electronvolt": "ev", "amp": "ampere", "mole": "mol",
    "millivolt": "mv", "kilovolt": "kv", "milliampere": "ma", "ohm": "ω", "decibel": "db",
    "people": "person", "children": "child", "men": "man", "women": "woman",
}  # fmt: skip
SIZES = {
    "millisecond": ("second", Fraction(1, 1000)), "second": ("second", Fraction(1)),
    "minute": ("second", Fraction(60)), "hour": ("second", Fraction(3600)),
    "day": ("second", Fraction(86400)), "week": ("second", Fraction(604800)),
    "month": ("month", Fraction(1)), "year": ("month", Fraction(12)),
    "mm": ("mm", Fraction(1)), "cm": ("mm", Fraction(10)), "m": ("mm", Fraction(1000)),
    "km": ("mm", Fraction(10**6)), "inch": ("mm", Fraction(254, 10)),
    "foot": ("mm", Fraction(3048, 10)), "yard": ("mm", Fraction(9144, 10)),
    "mile": ("mm", Fraction(1609344)),
    "mg": ("mg", Fraction(1)), "g": ("mg", Fraction(1000)), "kg": ("mg", Fraction(10**6)),
    "oz": ("oz", Fraction(1)), "pound": ("oz", Fraction(16)),
    "ml": ("ml", Fraction(1)), "l": ("ml", Fraction(1000)),
    "¢": ("¢", Fraction(1)), "$": ("¢", Fraction(100)),
}  # fmt: skip
"""Unit -> the base unit of its kind, and how many of these it is."""
_NAMES = {*_UNITS.values(), *_CURRENCIES.values(), *SIZES, "joule", "newton", "watt", "volt",
          "kelvin", "bit", "byte", "kbit", "megabit", "gbit", "ppm", "rpm", "megag"}  # fmt: skip
_FUNCTIONS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "log", "exp", "sqrt", "mod", "lim", "max", "min",
    "alpha", "beta", "gamma", "delta", "theta", "lambda", "sigma", "omega", "phi", "rho", "tau",
    "infinity", "factorial",
}  # fmt: skip
_MONTHS = {
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
    "sept", "oct", "nov", "dec",
}  # fmt: skip
_MODIFIERS = {
    "not", "no", "never", "is", "isn't", "are", "aren't", "was", "were", "wasn't", "wrong",
    "incorrect", "out", "squared", "cubed", "plus", "minus", "more", "less", "fewer", "above",
    "below", "over", "under", "point", "base", "cannot", "can't", "could", "would",
    "may", "might", "if", "and", "or", "to", "at", "by", "versus", "vs", "dozen",
    "century", "but", "except", "than", "mega", "million", "billion", "trillion",
}  # fmt: skip
"""Words that change or negate the number before them."""
_REFUSED = (_MODIFIERS | _FUNCTIONS | _MONTHS | number_words.WORDS) - {"quarter", "quarters", "min",
                                                                       "sec"}  # fmt: skip
_NOUN = re.compile(r"[^\W\d_][^\W\d_'’-]{2,}")
_FILLERS = {"of", "per", "a", "an", "the", "in", "each", "for", "on", "with", "from", "as", "we"}
_MAX_WORDS = 4


def with_case_told(text: str) -> str:
    """Spell out units that only case tells apart: 5 MW is not 5 mW, 5 Mb is not 5 MB."""
    text = _BITS.sub(lambda found: f"{found[1]}{_BIT_SCALES[found[2]]}bit", text)
    text = _MEGA.sub(r"\1mega", text)
    text = _PICOAMPERE.sub(r"\1picoampere", text)
    return _CAPITAL.sub(lambda found: _CAPITALS[found[1]], text)


_BITS = re.compile(r"(?<=[0-9])(\s?)([kMG])b(?:it)?(?=\b|ps)")
_BIT_SCALES = {"k": "k", "M": "mega", "G": "g"}
_MEGA = re.compile(r"(?<=[0-9])(\s?)M(?=(?:Hz|Wh?|J|Pa|V|A|N|eV|Bytes?|bytes?|B|g|m|L|S)?\b)")
_PICOAMPERE = re.compile(r"(?<=[0-9])(\s?)pA\b")
_CAPITAL = re.compile(r"(?<=[0-9] )([JNWVAKCFSTH])\b")
_CAPITALS = {"J": "joule", "N": "newton", "W": "watt", "V": "volt", "A": "ampere", "K": "kelvin",
             "C": "°c", "F": "°f", "S": "siemens", "T": "tesla", "H": "henry"}  # fmt: skip


def currency_of(words: str) -> str | None:
    """The sign of a currency, or `None` where the words name none."""
    return _CURRENCIES.get(words) or _CURRENCIES.get(words.removesuffix("s"))


def is_known(unit: str) -> bool:
    """Whether it is a known unit of measurement, not just a noun that was counted."""
    return unit in _NAMES or any(part in _NAMES for part in re.split(r"[/^]", unit))


def unit_of(words: str) -> str | None:
    """The canonical name of a unit, or of what is counted; `None` where the words are neither.

    `hours`, `hrs` and `h` become `hour`; `m/s` and `meters per second` become one name. A phrase of
    more than four words becomes the unit it begins with, or "" where it begins with another noun:
    "5 pounds of insects a day for the flock".
    """
    words = words.replace("²", "^2").replace("³", "^3")
    names = [_one_unit(each) for each in re.split(r"\s*/\s*|\s*\bper\b\s*(?!cent)", words)]
    if any(known for _, known in names) and all(known or not name for name, known in names):
        return "/".join(name for name, _ in names)
    listed = re.sub(r"[/^]", " ", words).split()
    if any(word in _REFUSED for word in listed):
        return None
    if len(listed) > _MAX_WORDS:
        first, known = _one_unit(listed[0])
        return first if known else "" if _NOUN.fullmatch(first) else None
    if not _is_phrase(listed):
        return None
    return "/".join(name for name, _ in names)


def _is_phrase(words: list[str]) -> bool:
    first, *others = words or [""]
    if not (_NOUN.fullmatch(first) or _one_unit(first)[1]):
        return False
    return all(_NOUN.fullmatch(w) or w in _FILLERS or _one_unit(w)[1] for w in others)


def _one_unit(words: str) -> tuple[str, bool]:
    """The canonical name of one unit, and whether it is known."""
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
            return known + caret + exponent, True
    if single.endswith(("xes", "shes", "ches", "sses")):
        single = single.removesuffix("es")
    elif len(single) > len("gas") and single.endswith("s") and not single.endswith("ss"):
        single = single.removesuffix("s")
    return single + caret + exponent, False
