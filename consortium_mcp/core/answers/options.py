"""The options of a multiple-choice question, and how an answer names one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

Options = tuple[tuple[str, str], ...]
"""(mark, text) of each option that a question offers, in order; letters in lower case."""
_MIN_OPTIONS = 2
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмн",
    "αβγδεζηθικλμ",
    "أبجدهوزحطي",
    "אבגדהוזחטי",
    "アイウエオカキク",
    "あいうえおかきく",
    "イロハニホヘト",
    "가나다라마바사아",
    "ㄱㄴㄷㄹㅁㅂㅅㅇ",
    "甲乙丙丁戊己庚辛",
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    tuple(str(number) for number in range(1, 27)),
)
"""The letterings and numberings of options, each in its order."""
_LOOK_ALIKES = str.maketrans("авсек", "abcek")
"""Cyrillic letters that a Russian keyboard gives for A, B, C, E, K."""
_CIRCLED = {ord("①") + number: f"({number + 1}) " for number in range(20)}
_CIRCLED |= {ord("Ⓐ") + number: f"({chr(ord('A') + number)}) " for number in range(26)}
_WORD = (
    r"(?:option|choice|answer|antwort|opción|opção|opzione|вариант|ответ|选项|選項|答案|选择"
    r"|選択肢|보기)"
)
_LETTER = r"[ivxIVX]{1,4}|[^\W\d_]|[0-9]{1,2}"
_MARK = (
    rf"(?:[(\[（【]({_LETTER})[)\]）】][*_]{{0,2}}[^\S\n]*[.:：、]?"
    rf"|({_LETTER})(?:[)）.:：][*_]{{0,2}}(?:[^\S\n]|(?<=[）：])|(?<=[A-ZА-Я][).:])(?=\w))|[、．][*_]{{0,2}}|[^\S\n]+[-–—][^\S\n]))"
)
_LINE = re.compile(
    rf"^[^\S\n]*(?:\#{{1,6}}[^\S\n]+)?(?:[-*•][^\S\n]+)?[*_]{{0,2}}(?:(?i:{_WORD})[^\S\n]*)?{_MARK}"
    r"([^\n]*\S[^\n]*)$",
    re.MULTILINE,
)
_INLINE = re.compile(
    r"(?:(?<=\s)|(?=（)|^)(?:[(\[（]([A-ZА-Я]|[0-9]{1,2})[)\]）][^\S\n]*"
    r"|([A-ZА-Я])(?:\)[^\S\n]+|[、．）])|([a-z])\)[^\S\n]+)",
    re.MULTILINE,
)


@lru_cache(maxsize=256)
def read_options(prompt: str) -> Options:
    """The options that a prompt offers, one per line or inline: `A) …`, `(b) …`, `3. …`, `А、…`.

    The marks must begin with the first of their lettering and be consecutive; of several lists the
    last counts.
    """
    prompt = prompt.translate(_CIRCLED)
    lines = [(found[1] or found[2], found[3]) for found in _LINE.finditer(prompt)]
    marks = list(_INLINE.finditer(prompt))
    ends = [*(mark.start() for mark in marks[1:]), len(prompt)]
    inline = [
        (mark[1] or mark[2] or mark[3], prompt[mark.end() : end].partition("\n")[0])
        for mark, end in zip(marks, ends, strict=False)
    ]
    by_line, in_line = _consecutive(lines), _consecutive(inline)
    return by_line if len(by_line) >= len(in_line) else in_line


def _consecutive(offered: list[tuple[str, str]]) -> Options:
    """The last list whose marks follow one another."""
    marked = [(unicodedata.normalize("NFKC", mark).casefold(), text) for mark, text in offered]
    marks = {mark for mark, _ in marked}
    best: list[tuple[str, str]] = []
    for sequence in _SEQUENCES:
        if not {sequence[0], sequence[1]} <= marks:
            continue
        found: list[tuple[str, str]] = []
        for mark, text in marked:
            if mark == sequence[0]:
                found = []
            if len(found) < len(sequence) and mark == sequence[len(found)]:
                found.append((mark, text.strip().strip("*_").strip()))
                best = found if len(found) >= max(_MIN_OPTIONS, len(best)) else best
    return tuple(best)


class NamedOption(NamedTuple):
    """An option as an answer names it."""

    mark: str
    rest: str
    """The text after the mark."""
    by_word: bool
    """Whether `option`, `choice` or `answer` precedes the mark, and a sign follows it."""
    set_off: bool
    """Whether a sign separates mark and text, or one of those words precedes the mark."""


_NAMED = re.compile(
    rf"((?:{_WORD}|选)\s*:?\s*)?[(\[#]?({_LETTER})(?:[)\]]|(?=[\W_]|$))"
    r"(?:\s*[).:、,\-–—]+\s*(.*)|\s+[(]?(.*?)[)]?)?"
)


def named_option(shown: str, options: Options) -> NamedOption | None:
    """The option mark at the start of a normalised answer, or `None`."""
    found = _NAMED.fullmatch(shown)
    if found is None:
        return None
    set_off = found[3] is not None or bool(found[1])
    by_word = bool(found[1]) and found[4] is None
    letter = found[2]
    if letter not in dict(options):
        letter = letter.translate(_LOOK_ALIKES)
    return NamedOption(letter, found[3] or found[4] or "", by_word, set_off)
