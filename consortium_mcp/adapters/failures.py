"""What a failed model call means: a name, whether asking again helps, a text without keys."""

from __future__ import annotations

import re

import llm

from consortium_mcp.core.errors import MemberError

MAX_MESSAGE = 400
"""Characters of a provider's message; some send whole HTML pages."""
_WORTH_ASKING_AGAIN = frozenset({408, 409, 425, 429})
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key|AIza|Bearer)[-_ ]?[A-Za-z0-9_\-.*]{12,}", re.IGNORECASE
)
_SERVER_FAULT = 500


def member_error(error: Exception) -> MemberError:
    """A provider's or plugin's exception as a `MemberError`."""
    status = _status(error)
    message = f"{type(error).__name__}: {_text(error)}"
    if isinstance(error, llm.NeedsKeyException):
        return MemberError(_text(error), kind="key", permanent=True)
    if status is not None:
        passing = status in _WORTH_ASKING_AGAIN or status >= _SERVER_FAULT
        return MemberError(f"HTTP {status}: {message}", kind="http", permanent=not passing)
    if isinstance(error, ValueError | TypeError):  # a bad option, an unsupported schema
        return MemberError(message, kind="request", permanent=True)
    return MemberError(message, kind="error")


def _status(error: Exception) -> int | None:
    """The HTTP status, which every provider's SDK keeps in one of these places."""
    response = getattr(error, "response", None)
    for holder in (error, response):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _text(error: Exception) -> str:
    # str() of a KeyError is quoted; its argument is not (llm.UnknownModelError is one).
    raw = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    text = _KEY_LIKE.sub("[key]", " ".join(raw.split())) or "no further explanation"
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
