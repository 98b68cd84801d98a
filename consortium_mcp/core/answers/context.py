"""What the question, and the other answers to it, say about how an answer is to be read."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.core.answers.options import Options, read_options

if TYPE_CHECKING:
    from collections.abc import Iterable


class Context(NamedTuple):
    """How to read the answers to one question."""

    options: Options = ()
    ordered: bool = False
    """Whether the question asks for an order, so that the order of a list counts."""
    decimal_comma: bool = False
    """Whether 3,14 is a number."""
    comma_lists: bool = False
    """Whether 1,2 is a list, as another answer shows."""
    letters_are_options: bool = True
    """Whether a bare small letter can be a choice: not where a known question offers none."""


def context_of(prompt: str, answers: Iterable[str | None] = ()) -> Context:
    """How to read the answers to this prompt.

    Args:
        prompt: the question; empty where it is not known.
        answers: all answers that will be compared: one may show how another writes numbers.
    """
    context = _of_prompt(prompt)
    texts = [answer for answer in answers if answer and "," in answer]
    if not texts:
        return context
    points = {answer for answer in answers if answer and "." in answer}
    return context._replace(
        decimal_comma=context.decimal_comma
        or any(_EUROPEAN.search(text) or _as_point(text) in points for text in texts),
        comma_lists=any(_LIST.search(text) for text in texts),
    )


_EUROPEAN = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:[. \u00a0\u202f][0-9]{3})+,[0-9]+(?![0-9,])")
_LIST = re.compile(r"[0-9],\s+[-+]?[0-9]|[0-9]\s+(?:and|or|und|et|y)\s+[-+]?[0-9]")


def _as_point(text: str) -> str | None:
    """`3,14` as `3.14`; `None` for 1,234, where the comma may group thousands."""
    found = re.fullmatch(r"([-+]?[0-9]+),([0-9]+)(\D*)", text.strip())
    if found is None or len(found[2]) == _GROUP:
        return None
    return f"{found[1]}.{found[2]}{found[3]}"


_GROUP = 3
"""Digits between separators of thousands."""
_ORDER = re.compile(
    r"\b(?:(?:what|which|the (?:right|correct)) (?:order|sequence)|in order|order (?:of|the)"
    r"|sequence|rank(?:ed|ing)?|sort(?:ed)?|arrange|chronological\w*|ascending|descending"
    r"|(?:from )?(?:\w+est|first|earliest) to (?:the )?(?:\w+est|last)|coordinates?|vertex|vector"
    r"|ordered (?:pair|triple)s?|reihenfolge|ordne|sortiere?|koordinaten"
    r"|coordonnées|coordenadas|ordre|orden|ordine|ordem|volgorde|порядке?|очерёдност\w*|координаты)\b"
    r"|\(x, ?y|坐标|座標|顺序|順序|順番|排序|순서",
    re.IGNORECASE,
)
_COMMA_WORDS = (
    "wie viel viele ist der das und eine welche welcher welches wann wo groß hoch lautet berechne "
    "combien quel quelle quels est les une des du dans quand où calculez "
    "cuánto cuántos cuál cuáles qué es los las una cuándo dónde calcula "
    "quanto quanti quale qual è gli della che calcola quando quantos são uma não da calcule "
    "hoeveel welke het een van wat hvor hvilken mange och är många vilken hur "
    "ile jest jaka jaki która który kiedy oblicz kolik kolika který jaké "
    "kaç nedir hangi bir berapa adalah yang apa"
)
_COMMA_LANGUAGES = frozenset(_COMMA_WORDS.split())
"""Frequent words of languages that write a decimal comma (by CLDR), but of no other language:
German, French, Spanish, Italian, Portuguese, Dutch, Scandinavian, Polish, Czech, Turkish,
Indonesian."""
_POINT_WORDS = "what which how the is are of many much does do find when where who why and to for"
_POINT_LANGUAGES = frozenset(_POINT_WORDS.split())
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


@lru_cache(maxsize=256)
def _of_prompt(prompt: str) -> Context:
    options = read_options(prompt)
    return Context(
        options=options,
        ordered=_ORDER.search(prompt) is not None,
        decimal_comma=_writes_decimal_comma(prompt),
        letters_are_options=bool(options) or not prompt.strip(),
    )


_READ_FOR_LANGUAGE = 4_000
"""Characters of the prompt from which its language is told."""


def _writes_decimal_comma(prompt: str) -> bool:
    """Whether the prompt's language does: told by its most frequent words, or by its script."""
    words = re.findall(r"[^\W\d_]+", prompt[:_READ_FOR_LANGUAGE].casefold())
    comma = sum(word in _COMMA_LANGUAGES or _CYRILLIC.match(word) is not None for word in words)
    return comma > sum(word in _POINT_LANGUAGES for word in words)
