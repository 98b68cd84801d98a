"""How long a provider asks to be left alone."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)")
LONGEST = 86_400.0
"""Seconds; a wait beyond a day is a mistake, or no limit of a rate."""
_UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)(?![a-z])"
_IN_WORDS = re.compile(
    r"\b(?:try again|retry|wait|available|resets?)\b[^.!?\d]{0,20}?"
    rf"((?:[0-9]+(?:\.[0-9]+)?\s*{_UNIT}(?:,|\s|and)*)+)",
    re.IGNORECASE,
)
_RETRY_INFO = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+m?s)"')
_EPOCH, _EPOCH_MS = 1_000_000_000, 100_000_000_000
"""A reset above this is a time since 1970 in seconds, or in milliseconds; not a duration."""


def wait_asked_for(headers: Mapping[str, str], text: str) -> float | None:
    """Seconds that the provider asks for, or `None` where it names no time.

    Read in this order: `retry-after-ms` and `retry-after`, seconds or a date (RFC 9110, 10.2.3);
    Google's RetryInfo; "try again in 20s"; the resets of the limits that are used up.

    Args:
        headers: of the response, with names in lower case.
        text: the message and the body.
    """
    waits = (
        _milliseconds(headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms")),
        _seconds_or_date(headers.get("retry-after")),
        _duration(found[1]) if (found := _RETRY_INFO.search(text)) else None,
        _duration(_short(found[1])) if (found := _IN_WORDS.search(text)) else None,
        _reset(headers),
    )
    # Zero, or a date that is past by a clock that differs, says nothing of use.
    return next((wait for wait in waits if wait is not None and 0 < wait <= LONGEST), None)


def _milliseconds(value: str | None) -> float | None:
    seconds = _number(value)
    return None if seconds is None else seconds / 1000


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _seconds_or_date(value: str | None) -> float | None:
    if value is None:
        return None
    if (seconds := _number(value)) is not None:
        return seconds
    if re.fullmatch(r"[\s0-9.smh]+", value):
        return _duration(value)
    try:
        return _until_date(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None


def _until_date(date: datetime) -> float:
    """Seconds until then.

    Raises:
        OverflowError: it is beyond all dates.
    """
    return (date.astimezone(UTC) - datetime.now(UTC)).total_seconds()


def _short(words: str) -> str:
    """`20 seconds` as `20s`."""
    return re.sub(
        r"(milli|ms|[smh])[a-z]*",
        lambda unit: "ms" if unit[1] == "milli" else unit[1],
        re.sub(r",|\band\b", " ", words.lower()),
    )


def _duration(text: str) -> float | None:
    """`6m0s`, `350ms`, `20.5s` in seconds."""
    parts = _DURATION.findall(text.lower())
    return sum(float(count) * _UNITS[unit] for count, unit in parts) if parts else None


def _reset(headers: Mapping[str, str]) -> float | None:
    """The longest of the resets whose limit is used up, as OpenAI, Anthropic and others say."""
    waits = []
    for name, value in headers.items():
        if "ratelimit" not in name:
            continue
        if "reset" in name and _number(headers.get(name.replace("reset", "remaining"), "0")) == 0:
            waits.append(_until(value))
        waits += [float(each[1]) for each in _USED_UP.finditer(value)]
    known = [wait for wait in waits if wait is not None]
    return max(known, default=None)


_USED_UP = re.compile(r"\br=0\s*;\s*t=([0-9]+)")
"""As the IETF's draft on RateLimit headers writes it."""


def _until(value: str) -> float | None:
    number = _number(value)
    if number is not None and number > _EPOCH:
        return (number / 1000 if number > _EPOCH_MS else number) - time.time()
    if number is not None:
        return number
    if (seconds := _duration(value)) is not None and "t" not in value.lower():
        return seconds
    try:
        return _until_date(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None
