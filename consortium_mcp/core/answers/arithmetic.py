"""Numbers as people write them: fractions, mixed numbers, powers, roots, scientific notation.

A formula with variables is not a number. Python's own parser reads the expression, and only
arithmetic nodes are accepted.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from fractions import Fraction

_DIGITS = 12
"""Significant digits to which irrational values are compared."""
_MAX_VALUE = 1e60
_MIN_ROUND_ZEROS = 3
_MAX_EXACT_BITS = 4_000
"""The most bits in the numerator or denominator of an exact power."""
_GROUPED = re.compile(r"(?<![0-9.])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])")
_MIXED = re.compile(r"([-+]?)([0-9]+) ([0-9]+)\s*/\s*([0-9]+)")
_ARITHMETIC = re.compile(r"(?=[^0-9π]*[0-9π]|.*pi)(?:[0-9.+\-*/^()!√π ]|sqrt|pi|e)+")
_IN_BRACKETS = re.compile(r"[-+]?\([^()]*,[^()]*\)$")  # a pair: (3,100) is not 3100
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "\u2044": "/"})
_TIMES_TEN = re.compile(r"(?<=[0-9])\s*x\s*10\s*\^")
_RANGE_OR_DATE = re.compile(r"[0-9]+(?:-[0-9]+)+|[0-9]{1,4}/[0-9]{1,2}/[0-9]{1,4}")
"""Ranges, scores and dates: 3-1 is not 2, and 6/2/2021 is not a quotient."""
_LEADING_ZERO = re.compile(r"(?<![0-9.,])0[0-9]")
"""02134 is a postcode, 007 a name; neither is the number without its zeros."""
_SPACED = re.compile(r"[-+]?[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]+)?")
_NAMES = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True)
class Number:
    """A value: exact where it is rational, else rounded to twelve significant digits."""

    value: Fraction | float

    def times(self, factor: int | Fraction) -> Number:
        """The number, multiplied by this factor."""
        return Number(_rounded(self.value * factor))

    @property
    def grain(self) -> Fraction:
        """The place value of the last digit that seems significant; 0 where the value is exact.

        0.3 has a grain of a tenth, 8,000,000 of a million; 1/3 and roots have none. Trailing zeros
        count as rounding only from thousands up.
        """
        if not isinstance(self.value, Fraction):
            return Fraction(0)
        if self.value.denominator == 1:
            zeros = len(digits := str(abs(self.value.numerator))) - len(digits.rstrip("0"))
            return Fraction(10**zeros if _MIN_ROUND_ZEROS <= zeros < len(digits) else 1)
        for places in range(1, _DIGITS):
            if 10**places % self.value.denominator == 0:
                return Fraction(1, 10**places)
        return Fraction(0)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number that does not look rounded."""
        return isinstance(self.value, Fraction) and self.value.denominator == self.grain == 1

    def is_within(self, other: Number, room: Fraction) -> bool:
        """Whether they differ by at most `room`."""
        return math.fabs(self.value - other.value) <= room

    def hundredth(self) -> Number:
        """The number divided by 100: a percentage as a share."""
        return Number(_rounded(self.value / 100))


def evaluate(text: str) -> Number | None:
    """The value of an arithmetic expression, or `None` where the text is not one."""
    text = _TIMES_TEN.sub("*10^", text.translate(_SIGNS))
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")
    if _RANGE_OR_DATE.fullmatch(text) or _LEADING_ZERO.search(text):
        return None
    if _IN_BRACKETS.match(text) or not _ARITHMETIC.fullmatch(_GROUPED.sub("0", text)):
        return None
    if mixed := _MIXED.fullmatch(text):
        sign, whole, upper, lower = mixed.groups()
        if int(lower) == 0:
            return None
        amount = int(whole) + Fraction(int(upper), int(lower))
        return Number(-amount if sign == "-" else amount)
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    text = text.replace("^", "**").replace("π", "(pi)").replace("√", " sqrt ")
    text = re.sub(r"sqrt\s*([0-9.]+|pi)", r"sqrt(\1)", text)
    text = re.sub(r"(?<=[0-9)])(?:\s*(?=sqrt|pi)|(?=\())", "*", text)  # 2√3, 4(5), 3π
    text = re.sub(r"([0-9]+)!", r"factorial(\1)", text)
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body)
    except (ValueError, SyntaxError, ArithmeticError, RecursionError, MemoryError):
        return None
    return Number(_rounded(value))


def _rounded(value: Fraction | float) -> Fraction | float:
    return value if isinstance(value, Fraction) else float(f"{value:.{_DIGITS}g}")


def _value(node: ast.expr) -> Fraction | float:
    """The value of a node.

    Raises:
        ValueError: it is not arithmetic, or too large.
        ArithmeticError: it has no value.
    """
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            value: Fraction | float = Fraction(repr(node.value))
        case ast.UnaryOp(op=ast.USub()):
            value = -_value(node.operand)
        case ast.UnaryOp(op=ast.UAdd()):
            value = _value(node.operand)
        case ast.BinOp():
            value = _binary(node.op, _value(node.left), _value(node.right))
        case ast.Name(id=name) if name in _NAMES:
            value = _NAMES[name]
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            value = _power(_value(argument), Fraction(1, 2))
        case ast.Call(func=ast.Name(id="factorial"), args=[ast.Constant(value=int(number))]):
            value = _factorial(number)
        case _:
            raise ValueError("no arithmetic")
    if not math.fabs(value) <= _MAX_VALUE:
        raise ValueError("too large")
    return value


def _binary(op: ast.operator, left: Fraction | float, right: Fraction | float) -> Fraction | float:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.Pow():
            return _power(left, right)
    raise ValueError("no arithmetic")


def _power(base: Fraction | float, exponent: Fraction | float) -> Fraction | float:
    if math.fabs(exponent) * max(1.0, math.log10(math.fabs(base) + 1)) > 60:  # noqa: PLR2004 (see _MAX_VALUE)
        raise ValueError("too large")
    if base < 0 and not (isinstance(exponent, Fraction) and exponent.denominator == 1):
        raise ArithmeticError("not real")
    if isinstance(base, Fraction):
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * math.fabs(exponent) > _MAX_EXACT_BITS:
            base = float(base)
    power: Fraction | float = base**exponent
    if isinstance(power, float) and isinstance(base, Fraction) and isinstance(exponent, Fraction):
        exact = Fraction(round(power))
        if exponent.numerator == 1 and exact**exponent.denominator == base:
            return exact  # the root of 4 is exactly 2
    return power


def _factorial(number: int) -> Fraction:
    if number > 40:  # noqa: PLR2004 (see _MAX_VALUE)
        raise ValueError("too large")
    return Fraction(math.factorial(number))
