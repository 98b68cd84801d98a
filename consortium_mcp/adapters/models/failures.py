"""What a failed model call means: its kind, whether a retry may help, a text without keys."""

from __future__ import annotations

import json
import re
from typing import Any

import llm

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.text import clean

MAX_MESSAGE = 400
"""Characters kept of a provider's message; some providers send whole HTML pages."""
_PASSING_STATUS = frozenset({408, 409, 425, 429})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# Base classes are matched by name, because each SDK has its own: openai and anthropic (and others
# that Stainless generates), httpx and httpx2, and the standard library. When the provider breaks a
# stream off, those SDKs raise an APIError without a status, or with a status that is no error.
_CONNECTION_LOST = frozenset(
    {"APIConnectionError", "TransportError", "ConnectionError", "TimeoutError"}
)
_BROKEN_OFF = frozenset({"APIError"})
_MALFORMED = (AttributeError, IndexError, KeyError)
# Several plugins raise llm's own ModelError with the provider's message in it.
_SOUNDS_PASSING = re.compile(r"\b(?:429|5\d\d)\b|overloaded|rate.?limit|unavailable", re.IGNORECASE)
# Text that begins like a provider's key, and whatever follows a word that announces a key.
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|AIza|Bearer|Token)[-_ ]?[A-Za-z0-9_\-.*]{12,}"
    r"|(?<=key)[\"'=:\s]{1,4}[A-Za-z0-9_\-.*]{8,}|(?<=token)[\"'=:\s]{1,4}[A-Za-z0-9_\-.*]{16,}",
    re.IGNORECASE,
)


def member_error(error: Exception) -> MemberError:
    """The `MemberError` for an exception of a provider or plugin."""
    message = described(error)
    status = _status(error)
    if status is not None and status >= _CLIENT_ERROR:
        passing = status in _PASSING_STATUS or status >= _SERVER_ERROR
        return MemberError(
            f"HTTP {status}: {message}",
            kind="http",
            permanent=not passing,
            passing=passing,
            retry_after=_retry_after(error),
        )
    class_names = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, llm.NeedsKeyException):
        failure = MemberError(_message(error), kind="key", permanent=True)
    elif class_names & _CONNECTION_LOST:
        failure = MemberError(f"connection lost: {message}", kind="connection", passing=True)
    elif class_names & _BROKEN_OFF:
        failure = MemberError(f"broken off: {message}", kind="broken_off", passing=True)
    elif isinstance(error, _MALFORMED) and not isinstance(error, llm.UnknownModelError):
        why = f"the provider's reply was not in the form its API promises ({message})"
        failure = MemberError(why, kind="malformed")
    elif isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        failure = MemberError(
            f"the reply could not be read: {message}", kind="malformed", passing=True
        )
    elif isinstance(error, llm.ModelError) and _SOUNDS_PASSING.search(message):
        failure = MemberError(message, kind="provider", passing=True)
    elif isinstance(error, ValueError | TypeError):  # a bad option, an unsupported schema
        failure = MemberError(message, kind="request", permanent=True)
    else:
        failure = MemberError(message, kind="error")
    return failure


def _status(error: Exception) -> int | None:
    """The HTTP status. Every provider's SDK keeps it in one of these two places."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _retry_after(error: Exception) -> float | None:
    """Seconds that the provider asks for (RFC 9110, 10.2.3). For a date our own pause applies."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    try:
        seconds = float(headers["retry-after"])
    except (TypeError, KeyError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


def described(error: BaseException) -> str:
    """The exception in one line that is safe to show: no keys, no control characters."""
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    # str() quotes the message of a KeyError (such as llm.UnknownModelError); its argument does not.
    raw = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    text = _KEY_LIKE.sub(" [key]", clean(" ".join(raw.split()))) or "no further explanation"
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
