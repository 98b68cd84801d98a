"""Writes the numerals of every script and the separators of every language as Python reads them."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_SIGNS = str.maketrans({"٫": ".", "٬": ",", "٪": "%"})


def in_plain_digits(text: str, *, decimal_comma: bool) -> str:
    """The text with ASCII digits, a decimal point, and no separators of thousands that are dots.

    1.234,50 and 1'234.50 are the same number everywhere. 3,14 is one where the language or another
    answer says so; there 1,234 and 1.234 may be either of two numbers, and stay what they are.
    """
    if not text.isascii():
        text = "".join(_digit(char) for char in text).translate(_SIGNS)
        if found := _CHINESE.fullmatch(text.strip()):
            text = f"{'-' if found[1] else ''}{_chinese(found[2])}{found[3] or ''}"
        elif found := _MIXED.fullmatch(text.strip()):
            text = str(Fraction(found[1]) * int(unicodedata.numeric(found[2])))
    text = _WITH_DOTS.sub(lambda found: found[0].replace(".", "").replace(",", "."), text)
    text = _WITH_SPACES.sub(lambda found: re.sub(r"\s", "", found[0]).replace(",", "."), text)
    text = _WITH_MARKS.sub(lambda found: re.sub("['’]", "", found[0]), text)
    if decimal_comma:
        text = _EITHER_WAY.sub(lambda found: f"{found[1]}{_EITHER[found[2]]}{found[3]}", text)
        text = _COMMA.sub(r"\1.\2", text)
    return text


def _digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char


_BEFORE, _AFTER = r"(?<![\w.,])", r"(?![\w.,]*[0-9])"
_WITH_DOTS = re.compile(
    rf"{_BEFORE}[0-9]{{1,3}}(?:(?:\.[0-9]{{3}})+,[0-9]+|(?:\.[0-9]{{3}}){{2}}(?:(?:\.[0-9]{{3}}){{2,}})?){_AFTER}"
)
_WITH_SPACES = re.compile(
    rf"{_BEFORE}[0-9]{{1,3}}(?:[ \u00a0\u202f][0-9]{{3}})+,[0-9]{{1,2}}{_AFTER}"
)
_WITH_MARKS = re.compile(rf"{_BEFORE}[0-9]{{1,3}}(?:['’][0-9]{{3}})+(?:\.[0-9]+)?{_AFTER}")
_EITHER_WAY = re.compile(rf"{_BEFORE}([1-9][0-9]{{0,2}})([.,])([0-9]{{3}}){_AFTER}")
_EITHER = {",": "\u2e32", ".": "\u2e33"}
"""Look-alikes that no number is read from."""
_COMMA = re.compile(rf"{_BEFORE}([0-9]+),([0-9]+){_AFTER}")

_CHINESE = re.compile(
    r"([负負マイナス]{0,4})([〇零一二三四五六七八九两兩壹贰叁肆伍陆柒捌玖十百千拾佰仟万萬億亿]+)"
    r"(?:[个個]|([人名元円年月日岁歳次本枚匹台回天只頭头]?))"
)
_MIXED = re.compile(r"([0-9]+(?:\.[0-9]+)?)([万萬億亿])")  # 1.5万
_DIGITS = {"两": 2, "兩": 2, "〇": 0, "零": 0}
_TEN, _MYRIAD = 10, 10_000


def _chinese(text: str) -> int:
    """The value of Chinese or Japanese numerals."""
    values = [_DIGITS.get(char, int(unicodedata.numeric(char, 0))) for char in text]
    if len(values) > 1 and all(value < _TEN for value in values):
        return int("".join(map(str, values)))  # digit by digit: 二〇二六
    total = section = digit = 0
    for value in values:
        if value < _TEN:
            digit = value
        elif value < _MYRIAD:
            section, digit = section + (digit or 1) * value, 0
        else:
            total, section, digit = (total + section + digit or 1) * value, 0, 0
    return total + section + digit
