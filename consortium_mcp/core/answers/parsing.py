"""Parses a short answer to a value.

An answer that is no other value becomes words, without articles and punctuation. Case counts in
code, symbols and words of up to three letters, as in `-D`, `CO2` and `CO`; elsewhere it does not.

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

from consortium_mcp.core.answers.arithmetic import Number
from consortium_mcp.core.answers.context import Context
from consortium_mcp.core.answers.dates import read_date
from consortium_mcp.core.answers.equivalence import Answer, Kind, contradict, same
from consortium_mcp.core.answers.normalisation import normalised, without_markup
from consortium_mcp.core.answers.options import named_option
from consortium_mcp.core.answers.quantities import quantity

if TYPE_CHECKING:
    from consortium_mcp.core.answers.options import Options

LONGEST = 200
"""The most characters of an answer that is parsed as a value."""
_NO_CONTEXT = Context()


@lru_cache(maxsize=4096)
def read(text: str, context: Context = _NO_CONTEXT) -> Answer | None:
    """Parse an answer; `None` where nothing is left after normalisation.

    Args:
        text: the answer as the model wrote it.
        context: what the question and the other answers say about it; see `context.context_of`.
    """
    if len(text) > LONGEST:
        return _words(text)
    bare = without_markup(text)
    if _EXACT.search(bare) or _is_symbol(bare):
        return Answer("words", _QUOTED.sub(r'"\2"', bare))
    cased = normalised(text, decimal_comma=context.decimal_comma)
    shown = cased.casefold()
    options = context.options
    if options and (chosen := _choice_of(shown, options)):
        return _choice(chosen)
    cased = _without_name(cased)
    shown = cased.casefold()
    return (
        _truth_or_letter(shown, cased, context)
        or _date(shown)
        or _quantity(shown)
        or _collection(cased, context)
        or _expression(cased if _CODE.search(cased) else shown)
        or _words(cased)
    )


# Where every character counts
_EXACT = re.compile(
    r"(?:^|\s)--?[A-Za-z][\w-]*(?=\s|=|$)(?!.*[+*/^])"  # a flag: -D
    r"|\[\^?[A-Za-z]-[A-Za-z]"  # a class of characters: [a-z]
    r"|\s\.{1,2}$"  # cd ..
    r"|\\[A-Za-z](?![A-Za-z{])"  # in a regular expression: \d
    r"|(?:^|[^0-9\s\\])%[A-Za-z]\b"  # in a format: %Y-%m
    r"|^(?!.*(?:\\|\$))(?:_+[A-Za-z]|.*[A-Za-z]_+$|.*[A-Za-z]_[A-Za-z])"  # a name: __init__
    r"|^([\"'])(?:.{0,3}|[-+0-9.,eE]+|[Tt]rue|[Ff]alse|None|null)\1$"  # text in quotes: '5'
)
_QUOTED = re.compile(r"^([\"'])(.*)\1$")
_CODE = re.compile(
    r"^[A-Za-z_][\w.]+\(|^[~.]?/\w|^\w+://|^\$[A-Za-z]|[A-Za-z]\.[A-Za-z]{2,}\(|[;{}]$|::|=>|->"
    r"|^[A-Za-z]{1,3}[0-9]{1,3}[A-Za-z0-9]*$|^[a-z]+[A-Z]\w*$|^[~\w./-]*\.[A-Za-z]\w+$"
    r"|^(?=.*[a-z])(?:[A-Z][a-z]?){2,}$|^(?=.*[A-Z])(?=.*[(^*/+=<>0-9])"
    r"[^A-Za-z&,']*[A-Za-z](?:[^A-Za-z&,']+[A-Za-z])*[^A-Za-z&,']*$"
)
_NOTHING = frozenset("-–—.…*()[]{}\"'`_ ")


def _is_symbol(bare: str) -> bool:
    """Whether it has no letter or digit, and is not just what is left of an empty answer."""
    return bool(set(bare) - _NOTHING) and not any(c.isalnum() or c in "∞∅°" for c in bare)


# Values
def _choice(mark: str) -> Answer:
    """The answer that names an option. A numbered one is its number, as people answer `2`."""
    if mark.isdecimal():
        return Answer("number", Number(Fraction(mark)))
    return Answer("choice", mark)


def _choice_of(shown: str, options: Options) -> str | None:
    """The mark of the option that an answer names: by mark, by mark and text, or by text."""
    texts = {mark: read(text.casefold()) for mark, text in options}
    if (named := named_option(shown, options)) and named.mark in texts:
        rest = read(named.rest)
        meant = [mark for mark, text in texts.items() if same(rest, text)]
        if not named.rest or named.mark in meant:
            return named.mark
        if named.set_off:  # the text after it may explain it, but must not name another option
            contradicted = meant or contradict(rest, texts[named.mark])
            return named.mark if named.by_word and not contradicted else None
    whole = read(shown)
    by_text = [mark for mark, text in texts.items() if same(whole, text)]
    return by_text[0] if len(by_text) == 1 else None


_YES = (
    "yes true ja wahr oui vrai sí si sì vero verdadero cierto sim verdadeiro да верно tak prawda "
    "ano evet doğru ya benar 是 是的 对 對 正确 はい 正しい 예 네 نعم صحيح हाँ"
)
_NO = (
    "no false nein falsch non faux falso não нет неверно nie fałsz ne hayır yanlış tidak salah "
    "否 不是 不 错 錯 错误 いいえ 아니오 아니요 لا خطأ नहीं"
)
_TRUTH = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)
_SHORT_REPLY = re.compile(
    r"(?:(?P<yes>yes|true|correct)|no|false), (?:it|they|he|she|this|that|there)"
    r" (?:is|are|was|were|does|do|did|has|have|can|will)(?(yes)|(?:n't| not))"
)
_LETTER = re.compile(r"((?:option|choice|answer|选项|вариант)\s*:?\s*)?([(\[]?)([a-zа-я])[)\]]?")
_EXPLICIT = re.compile(r"(?:option|choice)\s*[(\[]?([a-j])[)\]]?\s*[).:\-–—].*")


def _truth_or_letter(shown: str, cased: str, context: Context) -> Answer | None:
    if shown in _TRUTH:
        return Answer("truth", _TRUTH[shown])
    if reply := _SHORT_REPLY.fullmatch(shown):
        return Answer("truth", reply["yes"] is not None)
    if found := _LETTER.fullmatch(shown):
        is_bare = not (found[1] or found[2] or shown.endswith((")", "]")))
        if is_bare and cased == shown and not context.letters_are_options:
            return Answer("words", cased)  # d, which is not D
        return Answer("choice", found[3])
    if not context.options and (found := _EXPLICIT.fullmatch(shown)):
        return Answer("choice", found[1])
    return None


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
_TWO_NAMES = re.compile(
    r"((?:[a-z'-]+ ){0,2}[a-z'-]+) and ((?:[a-z'-]+ ){0,2}[a-z'-]+)", re.IGNORECASE
)
_PAIR = re.compile(r"[-+]?[0-9.]+,[-+]?[0-9.]+")


def _collection(shown: str, context: Context) -> Answer | None:
    """A tuple or a set. A list without brackets, such as the roots of an equation, is a set.

    It is a tuple where the question asks for an order, and where it may be a number instead (0,5).
    """
    if shown[:1] not in _BRACKETS:
        return _bare_list(shown, context)
    closing, kind = _BRACKETS[shown[0]]
    items = _items(shown[1:-1], bracketed=True) if shown.endswith(closing) else None
    if items is None:
        return None  # a half-open interval
    values = _values(items, pairs=kind == "set")
    if kind == "set":
        return Answer("set", frozenset(values))
    return Answer("tuple", (shown[0], *values))


def _bare_list(shown: str, context: Context) -> Answer | None:
    if two := _TWO_NAMES.fullmatch(shown):
        names = _name(two[1]), _name(two[2])
        return Answer("tuple", names) if context.ordered else Answer("set", frozenset(names))
    items = _items(shown, bracketed=False)
    if items is None or len(items) < _MIN_ITEMS:
        return None
    values = _values(items, pairs=False)
    if any(v is None or (isinstance(v, Answer) and v.kind in _NOT_LISTED) for v in values):
        return None  # a sentence with commas
    if context.ordered:
        return Answer("tuple", tuple(values))
    if _PAIR.fullmatch(shown) and not context.comma_lists:
        return Answer("tuple", (",", *values))
    counts = Counter(values)  # a double root is listed twice
    return Answer("set", frozenset(v if n == 1 else (v, n) for v, n in counts.items()))


def _name(text: str) -> Answer | None:
    return read(text) if len(text) == 1 else _words(text.casefold())


_GROUPED = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9]|,[0-9])")


_AND_OR = re.compile(r",?\s+(?:and|or|und|oder|et|ou|или)\s+", re.IGNORECASE)


def _items(inner: str, *, bracketed: bool) -> list[str] | None:
    """The items between the outermost commas, `and`s and `or`s; `None` where there are none."""
    items, depth, start = [], 0, 0
    if not bracketed or ", " in inner:  # else (3,100) is a pair
        inner = _GROUPED.sub(lambda found: found[0].replace(",", ""), inner)
    inner = _AND_OR.sub(",", inner)
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
    names = [found[0].casefold() if (found := _NAME.match(item)) else "" for item in items]
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


_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\w\w)", re.IGNORECASE)
_INITIALS = re.compile(r"(?<![^\W_])[^\W\d_]\.(?:\s?[^\W\d_]\.)*(?:\s?[^\W\d_](?![^\W_]))?")
_SHORT = re.compile(r"[^\W\d_]{1,3}")


def _without_dots(found: re.Match[str]) -> str:
    """`J. K.` as `JK`; a.b is no name."""
    return found[0] if found[0].islower() else re.sub(r"[.\s]", "", found[0]) + " "


def _words(shown: str) -> Answer | None:
    """A name or phrase, without articles and punctuation; without case, unless it is short."""
    form = _ARTICLE.sub("", " ".join(unicodedata.normalize("NFKC", shown).split()))
    form = form.replace("’", "'")
    form = _INITIALS.sub(_without_dots, form)
    form = form.replace(", and ", ", ")
    form = " ".join(re.sub(r",(?=\s)|(?<=[^\W\d_])-(?=[^\W\d_])", " ", form).split())
    if not (_SHORT.fullmatch(form) or _CODE.search(form)):
        form = form.casefold()
    return Answer("words", form) if any(char.isalnum() or char in "∞∅°" for char in form) else None


# Names
_NAME = re.compile(
    r"(?!(?:no|if|is|he|it|so|or|to)\b)"
    r"(?:[a-z]\w?|[a-z]\([a-z]\)|[a-z]_\{?\w\}?|answer|result)\s*[=:]\s*(?=[^=\s])",
    re.IGNORECASE,
)
_ANOTHER_NAME = re.compile(rf"(?:[,;]|\b(?:and|or)\b)\s*{_NAME.pattern}", re.IGNORECASE)


def _without_name(shown: str) -> str:
    """Shorten `x = 5` to `5`, as the question asked for x. Keep the names if there are several."""
    named = _NAME.match(shown)
    return shown[named.end() :] if named and not _ANOTHER_NAME.search(shown) else shown
