"""Parses the confidence that a model states, as a share from 0 to 1."""

from __future__ import annotations

import re

from consortium_mcp.core.reading.final_answers import CONFIDENCE, MAX_FINAL_ANSWER


def confidence_line(bare: str) -> float | None:
    """The confidence of a last line such as `Confidence: 0.9`, for a reply without our tag."""
    found = _LINE.search(bare[-MAX_FINAL_ANSWER:])
    return None if found is None else read_confidence(found[1])


_LINE = re.compile(
    rf"^[\s*_]*(?:{CONFIDENCE})[\s*_]*[:：]([^\n]*)\s*\Z", re.IGNORECASE | re.MULTILINE
)
# Midpoints of the ranges of US Intelligence Community Directive 203, "Analytic Standards" (2015),
# for the words it defines; high, medium and low count as very likely, even and unlikely.
_IN_WORDS = {
    "almost certain": 0.97,
    "very high": 0.97,
    "very likely": 0.875,
    "high": 0.875,
    "likely": 0.675,
    "even": 0.5,
    "medium": 0.5,
    "moderate": 0.5,
    "unlikely": 0.325,
    "low": 0.325,
    "very unlikely": 0.125,
    "very low": 0.125,
    "almost no chance": 0.03,
}
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
_SHARE = re.compile(rf"{_NUMBER}\s*(?:(%|percent\b|per cent\b)|(?:/|out of|of)\s*{_NUMBER})?")
_MIN_BARE_PERCENT = 10


def read_confidence(text: str) -> float | None:
    """Parse a confidence: `0.85`, `.85`, `0,85`, `85%`, `85 percent`, `85`, `17/20`, `high`.

    A bare number from 10 to 100 is a percentage. The result is `None` for a bare number between 1
    and 10 (it may be out of ten, or a slip), several numbers, a sign, or a value outside 0–1.
    """
    if len(text) > MAX_FINAL_ANSWER:
        return None
    words = (
        " ".join(text.casefold().replace("confidence", " ").split())
        .lstrip(" !*`\"'")
        .rstrip(" .!*`\"'")
    )
    if words in _IN_WORDS:
        return _IN_WORDS[words]
    matches = list(_SHARE.finditer(words))
    if len(matches) != 1:
        return None
    match = matches[0]
    before, after = words[: match.start()], words[match.end() :]
    # Not a share: a sign, an exponent, a thousands separator, a name such as "gpt4".
    if re.search(r"[-−+]\s*$|[^\s(~≈=:*]$", before) or re.match(r"[^\s(),.;:!*]", after):
        return None
    value = _number(match[1])
    if match[2] or (not match[3] and value >= _MIN_BARE_PERCENT):
        value /= 100
    elif match[3]:
        value = value / whole if (whole := _number(match[3])) else -1
    return value if 0 <= value <= 1 else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
