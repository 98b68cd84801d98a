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
_IN_WORDS = re.compile(
    r"\b(?:try again|retry|wait|available)\b\D{0,20}?"
    r"((?:[0-9]+(?:\.[0-9]+)?\s*(?:ms|s|m|h|d)(?![a-z])\s*)+"
    r"|[0-9]+(?:\.[0-9]+)?\s*(?:milliseconds?|seconds?|minutes?|hours?))",
    re.IGNORECASE,
)
_RETRY_INFO = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+m?s)"')
_EPOCH = 1_000_000_000
"""A reset above this is a time since 1970, not a duration."""


def wait_asked_for(headers: Mapping[str, str], text: str) -> float | None:
    """Seconds that the provider asks for, or `None` where it names no time.

    Read in this order: `retry-after-ms` and `retry-after`, seconds or a date (RFC 9110, 10.2.3);
    Google's RetryInfo; "try again in 20s"; the resets of the limits that are used up.

    Args:
        headers: of the response, with names in lower case.
        text: the message and the body.
    """
    waits = (
        _milliseconds(headers.get("retry-after-ms")),
        _seconds_or_date(headers.get("retry-after")),
        _duration(found[1]) if (found := _RETRY_INFO.search(text)) else None,
        _duration(_short(found[1])) if (found := _IN_WORDS.search(text)) else None,
        _reset(headers),
    )
    return next((wait for wait in waits if wait is not None), None)


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
    if value is None or (seconds := _number(value)) is not None:
        return None if value is None else seconds
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _short(words: str) -> str:
    """`20 seconds` as `20s`."""
    return re.sub(r"(ms|milli|[smhd])[a-z]*", lambda unit: unit[1].replace("milli", "ms"), words)


def _duration(text: str) -> float | None:
    """`6m0s`, `350ms`, `20.5s` in seconds."""
    parts = _DURATION.findall(text.lower())
    return sum(float(count) * _UNITS[unit] for count, unit in parts) if parts else None


def _reset(headers: Mapping[str, str]) -> float | None:
    """The longest of the resets whose limit is used up, as OpenAI, Anthropic and others say."""
    waits = []
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        if headers.get(name.replace("reset", "remaining"), "0") == "0":
            waits.append(_until(value))
    known = [wait for wait in waits if wait is not None]
    return max(known, default=None)


def _until(value: str) -> float | None:
    number = _number(value)
    if number is not None:
        return max(0.0, number - time.time()) if number > _EPOCH else number
    if (seconds := _duration(value)) is not None and "t" not in value.lower():
        return seconds
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
