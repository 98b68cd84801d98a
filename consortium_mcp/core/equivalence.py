"""When two answers are the same: read into values, compared as values.

Never by similarity of text: `safe` and `not safe`, 41 and 42 stay apart, however alike they look.
What cannot be read as a value is compared as words, up to case, articles and punctuation.

Everything here takes text that a model wrote, so nothing here may raise or run for long; answers
are short (`answers.MAX_FINAL_ANSWER`), and longer ones are compared as words.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from consortium_mcp.core.arithmetic import Number, evaluate
from consortium_mcp.core.latex import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 200
"""Characters of an answer that is read as a value."""

Kind = Literal["number", "choice", "truth", "date", "tuple", "set", "expression", "words"]
Options = tuple[tuple[str, str], ...]
"""Letters and texts of the options that a question offers, in order."""


class Answer(NamedTuple):
    """An answer as it is compared."""

    kind: Kind
    value: object
    """Hashable; equal for answers that mean the same."""
    unit: str | None = None
    """Of a number, where one was given."""


@lru_cache(maxsize=4096)
def read(text: str, options: Options = ()) -> Answer | None:
    """Read an answer, or `None` where nothing is left of it.

    Args:
        text: the answer as the model wrote it.
        options: what the question offers to choose from; see `read_options`.
    """
    if len(text) > LONGEST:
        return _words(text)
    shown = _unwrapped(_EXPLAINED.sub("", _tidied(plain(text))))
    if options and (chosen := _choice_of(shown, options)):
        return Answer("choice", chosen)
    shown = _less_name(shown)
    return (
        _truth_or_letter(shown)
        or _date(shown)
        or _quantity(shown)
        or _collection(shown)
        or _expression(shown)
        or _words(shown)
    )


def same(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers mean the same. A unit that is left out is taken as the other's."""
    if one is None or other is None or one.kind != other.kind:
        return False
    if one.value == other.value:
        return one.unit == other.unit or None in {one.unit, other.unit}
    return _percent_of(one, other) or _percent_of(other, one)


def contradict(one: Answer | None, other: Answer | None) -> bool:
    """Whether two answers cannot both be right, whatever anyone says.

    Only where that is certain: two numbers, two letters of a choice, a yes and a no. Names and
    phrases may be spelled in many ways, so about them this says nothing.
    """
    if one is None or other is None or one.kind != other.kind:
        return False
    return one.kind in {"number", "choice", "truth"} and not same(one, other)


def group(answers: Sequence[Answer | None]) -> tuple[tuple[int, ...], ...]:
    """Places of answers that mean the same, in order of their first.

    Sameness is no equivalence relation: `5` is the same as `5 h` and as `5 min`. Where a value
    comes with several units, each unit is a group, and answers without any are one of their own.
    What could not be read stands alone.
    """
    keys = {answer for answer in answers if answer is not None}
    joined: dict[object, list[int]] = {}
    for place, answer in enumerate(answers):
        key = ("alone", place) if answer is None else _joined_to(answer, keys)
        joined.setdefault(key, []).append(place)
    return tuple(tuple(each) for each in joined.values())


def _joined_to(answer: Answer, others: set[Answer]) -> Answer:
    """The answer that stands for this one's group."""
    alike = [o for o in others if o.kind == answer.kind and o.value == answer.value]
    if not alike[1:] and answer.unit == "%":
        shares = [o for o in others if _percent_of(answer, o)]
        return min(shares, key=repr, default=answer)
    units = {o.unit for o in alike} - {None}
    return answer._replace(unit=None) if len(units) <= 1 else answer


def _percent_of(percent: Answer, share: Answer) -> bool:
    """Whether the one is the other in percent: `50%` and `0.5`."""
    if percent.unit != "%" or share.unit is not None or share.kind != "number":
        return False
    return isinstance(percent.value, Number) and percent.value.hundredth() == share.value


# Options of a question

_OPTION = re.compile(r"^\s*(?:[-*]\s+)?\(?([A-Ja-j])[).:]\s+(\S.*?)\s*$", re.MULTILINE)
_FEWEST_OPTIONS = 2


@lru_cache(maxsize=256)
def read_options(prompt: str) -> Options:
    """The options that a prompt offers, one a line: `A) …`, `(b) …`, `C. …`.

    The letters must begin at A and follow one another; of several lists the last counts.
    """
    found: list[tuple[str, str]] = []
    best: list[tuple[str, str]] = []
    for match in _OPTION.finditer(prompt):
        letter = match[1].lower()
        if letter == "a":
            found = []
        if ord(letter) - ord("a") == len(found):
            found.append((letter, _wording(match[2])))
            best = found
    return tuple(best) if len(best) >= _FEWEST_OPTIONS else ()


_NAMED_OPTION = re.compile(
    r"(?:(?:option|choice|answer)\s*:?\s*)?[(\[]?([a-j])[)\]]?(?:\s*[).:\-–—]+\s*(.*)|\s+[(]?(.*?)[)]?)?"
)


def _choice_of(shown: str, options: Options) -> str | None:
    """The letter that an answer names, by itself, with its text, or by its text alone."""
    texts = dict(options)
    named = _NAMED_OPTION.fullmatch(shown)
    if named and named[1] in texts:
        rest = _wording(named[2] or named[3] or "")
        if not rest or rest == texts[named[1]]:
            return named[1]
    wording = _wording(shown)
    by_text = [letter for letter, text in options if text == wording]
    return by_text[0] if len(by_text) == 1 else None


def _wording(text: str) -> str:
    words = _words(_unwrapped(_tidied(plain(text))))
    return str(words.value) if words else ""


# Values

_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_LETTER = re.compile(r"(?:(?:option|choice|answer)\s*:?\s*)?[(\[]?([a-z])[)\]]?")
_EXPLICIT = re.compile(r"(?:option|choice)\s*[(\[]?([a-j])[)\]]?\s*[).:\-–—].*")


def _truth_or_letter(shown: str) -> Answer | None:
    if shown in _TRUTH:
        return Answer("truth", _TRUTH[shown])
    found = _LETTER.fullmatch(shown) or _EXPLICIT.fullmatch(shown)
    return Answer("choice", found[1]) if found else None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = (
    re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})"),
    re.compile(
        rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<name>{_MONTH}),? (?P<year>[0-9]{{4}})"
    ),
    re.compile(rf"(?P<name>{_MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,? (?P<year>[0-9]{{4}})"),
)


def _date(shown: str) -> Answer | None:
    """A whole date. `3/4/2021` is not read: it is two dates."""
    for pattern in _DATES:
        if found := pattern.fullmatch(shown.removeprefix("on ")):
            parts = found.groupdict()
            name = parts.get("name")
            month = _MONTHS.index(name[:3]) + 1 if name else int(parts["month"])
            try:
                return Answer("date", date(int(parts["year"]), month, int(parts["day"])))
            except ValueError:
                return None
    return None


_CURRENCIES = {"$": "$", "usd": "$", "us$": "$", "dollar": "$", "€": "€", "eur": "€", "euro": "€",
               "£": "£", "gbp": "£", "pound sterling": "£", "¥": "¥", "jpy": "¥", "yen": "¥",
               "₹": "₹", "inr": "₹", "rupee": "₹"}  # fmt: skip
_SIGN_BEFORE = re.compile(r"([-+]?)\s*(us\$|usd|eur|gbp|jpy|inr|[$€£¥₹])\s*(?=[-+]?[0-9.])")
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9,
           "trillion": 10**12}  # fmt: skip
_AMOUNT = r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_WITH_UNIT = re.compile(
    rf"({_AMOUNT}(?:\s*/\s*[0-9]+(?:\.[0-9]+)?|\s+[0-9]+\s*/\s*[0-9]+)?(?:\s*[×x*]\s*10\s*\^\s*[(]?[-+]?[0-9]+[)]?|e[-+]?[0-9]+)?)"
    r"\s*([^0-9\s+*/^=(][^0-9=+*]*(?:\^?[23])?)?"
)
_UNITS = {
    "percent": "%", "per cent": "%", "pct": "%", "percentage": "%", "hr": "hour", "h": "hour",
    "min": "minute", "sec": "second", "s": "second", "yr": "year", "wk": "week",
    "kilometer": "km", "kilometre": "km", "meter": "m", "metre": "m", "centimeter": "cm",
    "centimetre": "cm", "millimeter": "mm", "millimetre": "mm", "kilogram": "kg", "gram": "g",
    "gramme": "g", "lb": "pound", "ounce": "oz", "feet": "foot", "ft": "foot", "inches": "inch",
    "in": "inch", "yd": "yard", "mile per hour": "mph", "miles per hour": "mph",
    "kilometers per hour": "km/h", "kilometres per hour": "km/h", "kph": "km/h",
    "liter": "l", "litre": "l", "milliliter": "ml", "millilitre": "ml", "deg": "°",
    "degree": "°", "degrees celsius": "°c", "degree celsius": "°c", "degrees fahrenheit": "°f",
    "cent": "¢",
}  # fmt: skip
_MOST_UNIT_WORDS = 4
_NO_UNIT = re.compile(r"(?:and|or|to)\b|[,_:]|.*[,;:]|[a-bd-fi-kn-rt-z]$")
_HEDGES = re.compile(r"^(?:approximately|approx\.?|about|around|roughly|exactly|[~≈])\s*")
_IN_WORDS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}


def _quantity(shown: str) -> Answer | None:
    """A number, with its unit if it has one."""
    shown = _HEDGES.sub("", shown)
    unit: str | None = None
    if sign := _SIGN_BEFORE.match(shown):
        unit = _CURRENCIES[sign[2]]
        shown = sign[1] + shown[sign.end() :]
    shown = re.sub(r"\s*/\s*(?=[a-z]{2})", " per ", shown)
    first, _, rest = shown.partition(" ")
    shown = f"{_IN_WORDS.get(first, first)} {rest}".strip()
    if (whole := evaluate(shown)) is not None:
        return Answer("number", whole, unit)
    found = _WITH_UNIT.fullmatch(shown)
    value = evaluate(found[1]) if found else None
    if found is None or value is None:
        return None
    words = (found[2] or "").strip(" .")
    scale, _, after = words.partition(" ")
    if scale in _SCALES:
        value, words = value.times(_SCALES[scale]), after
    words = words.removeprefix("of ").strip()
    if _NO_UNIT.match(words):
        return None
    if len(words.split()) > _MOST_UNIT_WORDS:  # "5 pounds of insects a day for the whole flock"
        words = ""
    return Answer("number", value, unit or _unit(words))


def _unit(words: str) -> str | None:
    """A unit's one name: `hours`, `hrs` and `h` are `hour`."""
    words = words.replace("²", "^2").replace("³", "^3")
    for square in ("square ", "sq ", "sq. "):
        if words.startswith(square):
            words = f"{words[len(square) :]}^2"
    stem, power, exponent = words.partition("^")
    single = stem.strip()
    for name in (single, single.removesuffix("s"), single.removesuffix("es")):
        if known := _CURRENCIES.get(name) or _UNITS.get(name):
            return known + power + exponent
    if single.endswith(("xes", "shes", "ches", "sses")):
        single = single.removesuffix("es")
    elif len(single) > len("gas") and single.endswith("s") and not single.endswith("ss"):
        single = single.removesuffix("s")
    return (single + power + exponent) or None


_BRACKETS = {"(": (")", "tuple"), "[": ("]", "tuple"), "{": ("}", "set")}
_FEWEST_ITEMS = 2


def _collection(shown: str) -> Answer | None:
    """A tuple or a set. A bare list, as of the roots of an equation, has no order."""
    kind: Kind = "set"
    inner = shown
    if shown and shown[0] in _BRACKETS:
        closing, named = _BRACKETS[shown[0]]
        if not shown.endswith(closing):
            return None  # an interval, half open
        inner, kind = shown[1:-1], "tuple" if named == "tuple" else "set"
    elif "," not in shown and " and " not in shown:
        return None
    items = _items(inner)
    if items is None or (len(items) < _FEWEST_ITEMS and inner == shown):
        return None
    values = [read(item) for item in items]
    if any(v is None or v.kind in {"words", "tuple", "set"} for v in values) and inner == shown:
        return None  # a sentence with commas
    if kind == "tuple":
        return Answer("tuple", (shown[0], *values))
    return Answer("set", frozenset(values))


def _items(inner: str) -> list[str] | None:
    """What stands between the commas, and the last `and`, of the outermost level."""
    items, depth, start = [], 0, 0
    inner = re.sub(r",?\s+(?:and|or)\s+", ",", inner)
    for place, char in enumerate(inner):
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return None
        if char == "," and depth == 0:
            items.append(inner[start:place])
            start = place + 1
    items.append(inner[start:])
    stripped = [item.strip() for item in items]
    return stripped if depth == 0 and all(stripped) else None


def _expression(shown: str) -> Answer | None:
    """A formula with names in it, up to blanks and signs of multiplication."""
    if not re.search(r"[0-9^*/+=<>]", shown) or re.search(r"[a-z]{3,}\s+[a-z]{2,}", shown):
        return None
    return Answer("expression", re.sub(r"[\s*]+", "", shown))


_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\w\w)")


def _words(shown: str) -> Answer | None:
    shown = " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
    form = _ARTICLE.sub("", shown)
    return Answer("words", form) if any(char.isalnum() or char in "∞∅°" for char in form) else None


# Tidying

_SUPERSCRIPTS = str.maketrans({char: f"^{n}" for n, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
_VULGAR = re.compile(r"([0-9])([¼-¾⅐-⅞])")
_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2})!+$")  # "yes!" is yes, but n! is not n
_PAIRS = {("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("‘", "’"), ("«", "»")}
_PAIRS |= {(mark, mark) for mark in "\"'`*_$"}
_NAME = re.compile(r"(?:[a-z]\w?|[a-z]\([a-z]\)|[a-z]_\{?\w\}?|answer|result)\s*[=:]\s*(?=[^=\s])")


_EXPLAINED = re.compile(r"(?:,|(?<=[0-9$%])) (?:which|because|since|representing|meaning|as)\b.*$")
_CLOCK = re.compile(r"^([0-9]{1,2}):00 ?([ap])\.?m\.?$")


def _tidied(text: str) -> str:
    text = _VULGAR.sub(r"\1 \2", text.translate(_SUPERSCRIPTS))
    form = unicodedata.normalize("NFKC", text).casefold()
    form = " ".join(form.replace("−", "-").replace("–", "-").split())
    return _CLOCK.sub(r"\1 \2m", form)


def _unwrapped(form: str) -> str:
    """Less what stands round the whole of it; a tuple keeps its brackets."""
    while True:
        bare = _EXCLAIMED.sub("", form.strip().rstrip(".,;:?").strip())
        if len(bare) > 1 and (bare[0], bare[-1]) in _PAIRS:
            inner = bare[1:-1]
            if not (bare[0] in "([{" and set(inner) & set(",()[]{}")):
                bare = inner
        if bare == form:
            return form
        form = bare


def _less_name(shown: str) -> str:
    """`x = 5` as `5`: the question asked for x."""
    return _NAME.sub("", shown, count=1) if _NAME.match(shown) else shown
