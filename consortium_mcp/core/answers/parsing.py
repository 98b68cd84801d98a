"""Parses a short answer to a value.

An answer that is no other value becomes words, without case, articles and punctuation.

The input is text that a model wrote, so nothing here may raise or run for long; an answer longer
than `LONGEST` is always words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from consortium_mcp.core.answers.answer import Answer, Kind
from consortium_mcp.core.answers.arithmetic import Number
from consortium_mcp.core.answers.dates import read_date
from consortium_mcp.core.answers.equivalence import contradict, same
from consortium_mcp.core.answers.normalisation import normalised
from consortium_mcp.core.answers.options import named_option
from consortium_mcp.core.answers.quantities import quantity

if TYPE_CHECKING:
    from consortium_mcp.core.answers.options import Options

LONGEST = 200
"""The most characters of an answer that is parsed as a value."""


@lru_cache(maxsize=4096)
def read(text: str, options: Options = ()) -> Answer | None:
    """Parse an answer; `None` where nothing is left after normalisation.

    Args:
        text: the answer as the model wrote it.
        options: the options that the question offers; see `options.read_options`.
    """
    if len(text) > LONGEST:
        return _words(text)
    shown = normalised(text)
    if options and (chosen := _choice_of(shown, options)):
        return Answer("choice", chosen)
    shown = _without_name(shown)
    return (
        _truth_or_letter(shown, options)
        or _date(shown)
        or _quantity(shown)
        or _collection(shown)
        or _expression(shown)
        or _words(shown)
    )


# Values
def _choice_of(shown: str, options: Options) -> str | None:
    """The letter of the option that an answer names: by letter, by letter and text, or by text."""
    texts = {letter: read(text) for letter, text in options}
    if (named := named_option(shown)) and named.letter in texts:
        rest = read(named.rest)
        meant = [letter for letter, text in texts.items() if same(rest, text)]
        if not named.rest or named.letter in meant:
            return named.letter
        if named.set_off:  # the text after it may explain it, but must not name another option
            contradicted = meant or contradict(rest, texts[named.letter])
            return named.letter if named.by_word and not contradicted else None
    whole = read(shown)
    by_text = [letter for letter, text in texts.items() if same(whole, text)]
    return by_text[0] if len(by_text) == 1 else None


_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_SHORT_REPLY = re.compile(
    r"(?:(?P<yes>yes|true|correct)|no|false), (?:it|they|he|she|this|that|there)"
    r" (?:is|are|was|were|does|do|did|has|have|can|will)(?(yes)|(?:n't| not))"
)
_LETTER = re.compile(r"(?:(?:option|choice|answer)\s*:?\s*)?[(\[]?([a-z])[)\]]?")
_EXPLICIT = re.compile(r"(?:option|choice)\s*[(\[]?([a-j])[)\]]?\s*[).:\-–—].*")


def _truth_or_letter(shown: str, options: Options) -> Answer | None:
    if shown in _TRUTH:
        return Answer("truth", _TRUTH[shown])
    if reply := _SHORT_REPLY.fullmatch(shown):
        return Answer("truth", reply["yes"] is not None)
    found = _LETTER.fullmatch(shown) or (not options and _EXPLICIT.fullmatch(shown))
    return Answer("choice", found[1]) if found else None


def _date(shown: str) -> Answer | None:
    found = read_date(shown)
    return Answer("date", found) if found else None


_HEXADECIMAL = re.compile(r"0x[0-9a-f]+|0b[01]+|0o[0-7]+")


def _quantity(shown: str) -> Answer | None:
    """A number, with its unit if it has one."""
    if _HEXADECIMAL.fullmatch(shown):
        return Answer("number", Number(Fraction(int(shown, 0))))
    found = quantity(shown)
    return Answer("number", found.value, found.unit) if found else None


_BRACKETS: dict[str, tuple[str, Kind]] = {
    "(": (")", "tuple"), "[": ("]", "tuple"), "{": ("}", "set"),
}  # fmt: skip
_MIN_ITEMS = 2
_NOT_LISTED = {"words", "tuple", "set"}
_TWO_NAMES = re.compile(r"((?:[a-z'-]+ ){0,2}[a-z'-]+) and ((?:[a-z'-]+ ){0,2}[a-z'-]+)")


def _collection(shown: str) -> Answer | None:
    """A tuple or a set. A list without brackets, such as the roots of an equation, is a set."""
    if shown[:1] not in _BRACKETS:
        return _bare_list(shown)
    closing, kind = _BRACKETS[shown[0]]
    items = _items(shown[1:-1], bracketed=True) if shown.endswith(closing) else None
    if items is None:
        return None  # a half-open interval
    values = _values(items, pairs=kind == "set")
    if kind == "set":
        return Answer("set", frozenset(values))
    return Answer("tuple", (shown[0], *values))


def _bare_list(shown: str) -> Answer | None:
    if two := _TWO_NAMES.fullmatch(shown):
        return Answer("set", frozenset({_words(two[1]), _words(two[2])}))
    items = _items(shown, bracketed=False)
    if items is None or len(items) < _MIN_ITEMS:
        return None
    values = _values(items, pairs=False)
    if any(v is None or (isinstance(v, Answer) and v.kind in _NOT_LISTED) for v in values):
        return None  # a sentence with commas
    counts = Counter(values)  # a double root is listed twice
    return Answer("set", frozenset(v if n == 1 else (v, n) for v, n in counts.items()))


_GROUPED = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9]|,[0-9])")


def _items(inner: str, *, bracketed: bool) -> list[str] | None:
    """The items between the outermost commas, `and`s and `or`s; `None` where there are none."""
    items, depth, start = [], 0, 0
    if not bracketed or ", " in inner:  # else (3,100) is a pair
        inner = _GROUPED.sub(lambda found: found[0].replace(",", ""), inner)
    inner = re.sub(r",?\s+(?:and|or)\s+", ",", inner)
    inner = inner.removesuffix(",") if bracketed else inner
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


def _values(items: list[str], *, pairs: bool) -> list[object]:
    """The items as values; with their names where these differ, as in `x = 2, y = 3`."""
    if pairs and all(":" in item for item in items):
        halves = [item.partition(":") for item in items]
        return [(_value(key), _value(value)) for key, _, value in halves]
    names = [found[0] if (found := _NAME.match(item)) else "" for item in items]
    if len({name.replace(" ", "") for name in names} - {""}) > 1:
        return [
            (name.replace(" ", ""), read(item)) for name, item in zip(names, items, strict=True)
        ]
    return [_value(item) for item in items]


def _value(item: str) -> Answer | None:
    """The value of an item; a number in quotes is text, other quotes are ignored."""
    item = item.strip()
    found = read(item)
    quoted = item[:1] in {'"', "'"} and item[-1:] == item[:1]
    return (
        Answer("words", f'"{item[1:-1]}"') if quoted and found and found.kind == "number" else found
    )


def _expression(shown: str) -> Answer | None:
    """A formula with variables, without blanks and multiplication signs."""
    if not re.search(r"[0-9^*/+=<>]", shown) or re.search(r"[a-z]{3,}\s+[a-z]{2,}", shown):
        return None
    shown = re.sub(r"(?<![0-9])\s+|\s+(?![0-9])", "", shown.replace("**", "^"))
    return Answer("expression", re.sub(r"\*+(?![0-9])", "", shown))


_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\w\w)")
_INITIALS = re.compile(r"(?<![^\W_])[^\W\d_]\.(?:\s?[^\W\d_]\.)*(?:\s?[^\W\d_](?![^\W_]))?")


def _words(shown: str) -> Answer | None:
    """A name or phrase, without case, articles and punctuation."""
    shown = " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
    form = _ARTICLE.sub("", shown).replace("’", "'")
    form = _INITIALS.sub(lambda found: re.sub(r"[.\s]", "", found[0]) + " ", form)
    form = form.replace(", and ", ", ")
    form = " ".join(re.sub(r",(?=\s)|(?<=[^\W\d_])-(?=[^\W\d_])", " ", form).split())
    return Answer("words", form) if any(char.isalnum() or char in "∞∅°" for char in form) else None


# Names
_NAME = re.compile(
    r"(?!(?:no|if|is|he|it|so|or|to)\b)"
    r"(?:[a-z]\w?|[a-z]\([a-z]\)|[a-z]_\{?\w\}?|answer|result)\s*[=:]\s*(?=[^=\s])"
)
_ANOTHER_NAME = re.compile(rf"(?:[,;]|\b(?:and|or)\b)\s*{_NAME.pattern}")


def _without_name(shown: str) -> str:
    """Shorten `x = 5` to `5`, as the question asked for x. Keep the names if there are several."""
    named = _NAME.match(shown)
    return shown[named.end() :] if named and not _ANOTHER_NAME.search(shown) else shown
