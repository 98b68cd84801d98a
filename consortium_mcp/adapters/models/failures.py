"""What a failed model call means: a name, whether asking again helps, a text without keys."""

from __future__ import annotations

import json
import re
from typing import Any

import llm

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.text import clean

MAX_MESSAGE = 400
"""Characters of a provider's message; some send whole HTML pages."""
_PASSING_STATUS = frozenset({408, 409, 425, 429})
_REFUSED, _SERVER_FAULT = 400, 500
# Base classes by name, because each SDK brings its own: openai and anthropic (and what Stainless
# generates), httpx and httpx2, and the standard library. An APIError without a status, or with one
# that is no error, is what those SDKs raise when the provider breaks a stream off.
_CONNECTION_LOST = frozenset(
    {"APIConnectionError", "TransportError", "ConnectionError", "TimeoutError"}
)
_BROKEN_OFF = frozenset({"APIError"})
_MALFORMED = (AttributeError, IndexError, KeyError)
# Several plugins raise llm's own ModelError with the provider's words in it.
_SOUNDS_PASSING = re.compile(r"\b(?:429|5\d\d)\b|overloaded|rate.?limit|unavailable", re.IGNORECASE)
# What begins as providers' keys do, and whatever follows a word that announces one.
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|AIza|Bearer|Token)[-_ ]?[A-Za-z0-9_\-.*]{12,}"
    r"|(?<=key)[\"'=:\s]{1,4}[A-Za-z0-9_\-.*]{8,}|(?<=token)[\"'=:\s]{1,4}[A-Za-z0-9_\-.*]{16,}",
    re.IGNORECASE,
)


def member_error(error: Exception) -> MemberError:
    """A provider's or plugin's exception as a `MemberError`."""
    message = described(error)
    status = _status(error)
    if status is not None and status >= _REFUSED:
        passing = status in _PASSING_STATUS or status >= _SERVER_FAULT
        return MemberError(
            f"HTTP {status}: {message}",
            kind="http",
            permanent=not passing,
            passing=passing,
            retry_after=_retry_after(error),
        )
    families = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, llm.NeedsKeyException):
        found = MemberError(_text(error), kind="key", permanent=True)
    elif families & _CONNECTION_LOST:
        found = MemberError(f"connection lost: {message}", kind="connection", passing=True)
    elif families & _BROKEN_OFF:
        found = MemberError(f"broken off: {message}", kind="broken_off", passing=True)
    elif isinstance(error, _MALFORMED) and not isinstance(error, llm.UnknownModelError):
        why = f"the provider's reply was not in the form its API promises ({message})"
        found = MemberError(why, kind="malformed")
    elif isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        found = MemberError(
            f"the reply could not be read: {message}", kind="malformed", passing=True
        )
    elif isinstance(error, llm.ModelError) and _SOUNDS_PASSING.search(message):
        found = MemberError(message, kind="provider", passing=True)
    elif isinstance(error, ValueError | TypeError):  # a bad option, an unsupported schema
        found = MemberError(message, kind="request", permanent=True)
    else:
        found = MemberError(message, kind="error")
    return found


def _status(error: Exception) -> int | None:
    """The HTTP status, which every provider's SDK keeps in one of these places."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _retry_after(error: Exception) -> float | None:
    """Seconds the provider asks for (RFC 9110, 10.2.3; dates are left to our own pause)."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    try:
        seconds = float(headers["retry-after"])
    except (TypeError, KeyError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


def described(error: BaseException) -> str:
    """An exception in one line that can be shown: without keys, without control characters."""
    return f"{type(error).__name__}: {_text(error)}"


def _text(error: BaseException) -> str:
    # str() of a KeyError is quoted; its argument is not (llm.UnknownModelError is one).
    raw = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    text = _KEY_LIKE.sub(" [key]", clean(" ".join(raw.split()))) or "no further explanation"
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
