"""Clean text, fold it for comparing, read a search or an age, suggest the nearest known names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


MARKS = (  # UTF-32 first: its mark begins with UTF-16's
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
"""The bytes at a text's beginning that say which encoding it has."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What makes a variant of a letter: accents, vowel points, and joiners that show nothing.
# Marks of other scripts (Thai, Devanagari, the sounds of kana) make another letter and stay.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
# Variants that Unicode does not take apart: letters with a stroke, and Arabic endings.
_VARIANTS = str.maketrans("ıłøđħŧىة", "ilodhtيه")  # noqa: RUF001
_STRAIGHT_QUOTES = str.maketrans("“”„", '"' * 3)
_QUOTED = re.compile(r'"([^"]*)"|([^\s"]+)')
_OPENING = "([{<«‘'¿¡"
_CLOSING = ")]}>»’'?!.,;:…。、"
_ARABIC_ARTICLE = re.compile("^(?:[وفبك]?ال|لل)(?=.{3})")
# Endings of Slavic nouns and adjectives, as folded; at least four letters stay.
_CYRILLIC_ENDING = re.compile(
    "(?<=[а-я]{4})(?:[ыи]ми|[ао]го|[оеы]му|[ая]ми|[ая]х|[ая]м|[ое]в|[ое]м|[ое]и|"  # noqa: RUF001
    "[ыи]х|[ыи]м|[ыи]и|ая|яя|ое|ее|ые|ие|ую|юю|[аяоеыиуюьєі])$"  # noqa: RUF001
)
MOST_TERMS = 100
"""The most words of a search that count; the first of them."""


def clean(text: str) -> str:
    """The text without control characters and lone surrogates: safe to store, send and show."""
    return _UNPRINTABLE.sub("", text).encode("utf-8", "replace").decode("utf-8")


def folded(text: str) -> str:
    """The text as a search compares it: case, accents, widths and kinds of space do not matter."""
    apart = unicodedata.normalize("NFKD", clean(text).casefold())
    bare = _MARKS.sub("", apart).translate(_VARIANTS).casefold()
    return " ".join(unicodedata.normalize("NFKC", bare).split())


def search_terms(query: str) -> list[str]:
    """The words and "quoted phrases" of a search, without the punctuation around them.

    What is nothing but punctuation counts only where the query has nothing else.
    """
    found = [
        phrase or word for phrase, word in _QUOTED.findall(clean(query).translate(_STRAIGHT_QUOTES))
    ]
    terms = [*dict.fromkeys(term for each in found if folded(term := _bare(each)))]
    return ([term for term in terms if not _is_punctuation(term)] or terms)[:MOST_TERMS]


def stem(term: str) -> str:
    """A folded search term without what its language puts at the end (Slavic) or before (Arabic).

    The stem is a part of the term, so whoever looks for it finds the other forms as well.
    """
    return _CYRILLIC_ENDING.sub("", _ARABIC_ARTICLE.sub("", term))


def has_terms(text: str, terms: Sequence[str]) -> bool:
    """Whether there are `search_terms`, and each is in the text, as a word or a part of one."""
    text = folded(text)
    return bool(terms) and all(stem(folded(term)) in text for term in terms)


def _bare(term: str) -> str:
    return term.strip().lstrip(_OPENING).rstrip(_CLOSING) or term.strip()


def _is_punctuation(term: str) -> bool:
    return all(unicodedata.category(char)[0] in "PZ" for char in term)


def closest(name: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """The known names most similar to this one, best first: spelled like it, or containing it."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    lowered = name.lower()
    near = difflib.get_close_matches(lowered, by_lower, n=limit, cutoff=0.6)
    containing = [
        low for low in by_lower if len(lowered) > 1 and lowered in low and low not in near
    ]
    return [by_lower[low] for low in (*near, *containing)][:limit]


_AGE_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_age(text: str, units: str = "smhdw") -> timedelta | None:
    """An age such as `30s`, `10m`, `36h`, `7d` or `2w`; `None` where the text is none.

    Args:
        text: a whole number and its unit.
        units: the units that count. Some take `m` for months.
    """
    found = re.fullmatch(rf"([0-9]{{1,5}})([{units}])", text.strip())
    return timedelta(**{_AGE_UNITS[found[2]]: int(found[1])}) if found else None


CHARACTERS_PER_TOKEN = 4
"""A common rule of thumb for English text; used where no provider has counted the tokens."""


def estimated_tokens(*texts: str | None) -> int:
    """The estimated number of tokens in these texts together."""
    return -(-sum(len(text or "") for text in texts) // CHARACTERS_PER_TOKEN)
