"""The options of a multiple-choice question, and how an answer names one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

Options = tuple[tuple[str, str], ...]
"""(letter, text) of each option that a question offers, in order."""
_MIN_OPTIONS = 2
_MARK = r"(?:[(\[]([A-Za-z])[)\]][*_]{0,2}[^\S\n]*[.:]?|([A-Za-z])[).:][*_]{0,2}[^\S\n])"
_LINE = re.compile(
    rf"^[^\S\n]*(?:[-*•][^\S\n]+)?[*_]{{0,2}}(?:(?i:option|choice)[^\S\n]+)?{_MARK}([^\n]*\S[^\n]*)$",
    re.MULTILINE,
)
_INLINE = re.compile(r"(?:(?<=\s)|^)(?:[(\[]([A-Z])[)\]][^\S\n]*|([A-Z])\)[^\S\n]+)", re.MULTILINE)


@lru_cache(maxsize=256)
def read_options(prompt: str) -> Options:
    """The options that a prompt offers, one per line or inline: `A) …`, `(b) …`, `C. …`.

    The letters must begin at A and be consecutive; of several lists the last counts.
    """
    lines = [(found[1] or found[2], found[3]) for found in _LINE.finditer(prompt)]
    marks = list(_INLINE.finditer(prompt))
    ends = [*(mark.start() for mark in marks[1:]), len(prompt)]
    inline = [
        (mark[1] or mark[2], prompt[mark.end() : end].partition("\n")[0])
        for mark, end in zip(marks, ends, strict=False)
    ]
    by_line, in_line = _consecutive(lines), _consecutive(inline)
    return by_line if len(by_line) >= len(in_line) else in_line


def _consecutive(offered: list[tuple[str, str]]) -> Options:
    found: list[tuple[str, str]] = []
    best: list[tuple[str, str]] = []
    for mark, text in offered:
        letter = mark.lower()
        if letter == "a":
            found = []
        if ord(letter) - ord("a") == len(found):
            found.append((letter, text.strip().strip("*_").strip()))
            best = found if len(found) >= _MIN_OPTIONS else best
    return tuple(best)


class NamedOption(NamedTuple):
    """An option as an answer names it."""

    letter: str
    rest: str
    """The text after the letter."""
    by_word: bool
    """Whether `option`, `choice` or `answer` precedes the letter, and a mark follows it."""
    set_off: bool
    """Whether a mark separates letter and text, or one of those words precedes the letter."""


_NAMED = re.compile(
    r"((?:option|choice|answer)\s*:?\s*)?[(\[]?([a-z])[)\]]?"
    r"(?:\s*[).:\-–—]+\s*(.*)|\s+[(]?(.*?)[)]?)?"
)


def named_option(shown: str) -> NamedOption | None:
    """The option letter at the start of a normalised answer, or `None`."""
    found = _NAMED.fullmatch(shown)
    if found is None:
        return None
    set_off = found[3] is not None or bool(found[1])
    by_word = bool(found[1]) and found[4] is None
    return NamedOption(found[2], found[3] or found[4] or "", by_word, set_off)
