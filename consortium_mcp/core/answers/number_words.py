"""Converts number words to digits: `two hundred and five`, `two thirds`, `minus five`."""

from __future__ import annotations

import re

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SMALL = {word: number for number, word in enumerate(_ONES)}
_SMALL |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
_ORDINALS = (
    "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth",
)  # fmt: skip
_PARTS = {"half": 2, "halve": 2, "quarter": 4, "hundredth": 100, "thousandth": 1000}
_PARTS |= {word: number for number, word in enumerate(_ORDINALS, 3)}
WORDS = {*_SMALL, "hundred", *SCALES, *_PARTS, *(f"{part}s" for part in _PARTS)}
"""Every word of a number. `units` still accepts `quarters` as a unit, which may be coins."""
_HALF = re.compile(r"(?:([0-9]+) and a |a )?half(?= of |$)")


def in_digits(shown: str) -> str:
    """The text, with a number in words at its start converted to digits.

    Args:
        shown: the text, in lower case.
    """
    if half := _HALF.match(shown):
        return f"{half[1] or ''} 1/2{shown[half.end() :]}".strip()
    shown = re.sub(r"^([0-9]+) and (?=[0-9]+/[0-9]+)", r"\1 ", shown)
    sign, negative = "", re.match(r"(?:minus|negative) ", shown)
    if negative:
        sign, shown = "-", shown[negative.end() :]
    words = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", shown).split(" ")
    number, taken = _value(words)
    rest = words[taken:]
    if number is None and words[:1] in (["a"], ["an"]) and words[1:2] and words[1] in _PARTS:
        number, rest = 1, words[1:]
    if number is None:
        return f"{sign}{shown}"
    part = rest[0].removesuffix("s") if rest else ""
    if part in _PARTS and (len(rest) == 1 or rest[1] == "of"):
        return " ".join([f"{sign}{number}/{_PARTS[part]}", *rest[1:]])
    return " ".join([f"{sign}{number}", *rest])


def _value(words: list[str]) -> tuple[int | None, int]:
    """The number at the start of these words, and how many words it takes."""
    total, current, taken = 0, None, 0
    for place, word in enumerate(words):
        if word in _SMALL:
            if current is not None and not _follows(current % 100, _SMALL[word]):
                break  # "one two" is two numbers
            current = (current or 0) + _SMALL[word]
        elif word == "hundred" and current is not None and 0 < current < 10:  # noqa: PLR2004 (a digit)
            current *= 100
        elif word in SCALES and current:
            total, current = total + current * SCALES[word], 0
        elif not (word == "and" and place and words[place - 1] in {"hundred", *SCALES}):
            break
        if word != "and":
            taken = place + 1
    return (None, 0) if not taken else (total + (current or 0), taken)


def _follows(last: int, small: int) -> bool:
    """Whether this number may follow the last below 100: only a digit after a full ten."""
    return last == 0 or (last % 10 == 0 and last >= _SMALL["twenty"] and small < _SMALL["ten"])
