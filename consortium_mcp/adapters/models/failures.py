"""What a failed model call means: its kind, whether a retry may help, when, and why in words.

What came over the wire decides first (`last_response`), then what the exception or its causes keep
of it, and the words of the message last.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from typing import TYPE_CHECKING

import llm

from consortium_mcp.adapters.models.secrets import without_secrets
from consortium_mcp.adapters.models.waits import wait_asked_for
from consortium_mcp.adapters.wire.last_response import LastResponse
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Spending

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BODY = 50_000
"""Characters of a body that are looked through."""
MAX_MESSAGE = 400
"""Characters kept of a provider's message; some providers send whole HTML pages."""
_PASSING_STATUS = frozenset({408, 409, 425, 429})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_PAYMENT_REQUIRED = 402
# Base classes are matched by name, because each SDK has its own: openai and anthropic (and others
# that Stainless generates), httpx and httpx2, botocore, and the standard library. When the provider
# breaks a stream off, those SDKs raise an APIError without a status.
_CONNECTION_LOST = frozenset(
    {"APIConnectionError", "TransportError", "ConnectionError", "TimeoutError", "HTTPClientError"}
)
_BROKEN_OFF = frozenset({"APIError"})
_MALFORMED = (AttributeError, IndexError, KeyError)
_NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError"}
)
# Several plugins raise llm's own ModelError, or exit, with the provider's message in it.
_SOUNDS_PASSING = re.compile(r"\b(?:429|5\d\d)\b|overloaded|rate.?limit|unavailable", re.IGNORECASE)
_NO_CREDIT = re.compile(
    r"insufficient_quota|credit balance is too low|insufficient (?:balance|credits?|funds)"
    r"|out of credits|payment required|used all (?:of your )?available credits|spending limit"
    r"|billing_(?:hard_limit|not_active)|exceeded_current_quota"
    r"|account is (?:suspended|deactivated)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\bblock_?reason|prompt was blocked|content_policy|\brefus(?:al|ed to answer)|content_filter"
    r"|content management policy|invalid_prompt|flagged|moderation"
)
_SCHEMA_REFUSED = re.compile(
    r"json.?schema|response_format|response_schema|responseSchema|structured output|grammar"
    r"|output_config|input_schema|output format|json mode|generate json|schema produces"
    r"|requested parameters|does not support (?:tools|tool|schema|json)|tool_choice|invalid schema",
    re.IGNORECASE,
)


def member_error(error: BaseException, noted: LastResponse | None = None) -> MemberError:
    """The `MemberError` for an exception of a provider or plugin.

    Args:
        error: what the call raised.
        noted: what the provider last said on the wire during the call.
    """
    if isinstance(error, MemberError):  # a model of ours has told it already
        return error
    noted = noted or LastResponse()
    status = _status(error, noted)
    message = _with_reason(described(error), noted)
    class_names = {base.__name__ for each in _chain(error) for base in type(each).__mro__}
    if (
        isinstance(error, llm.NeedsKeyException)
        or class_names & _NO_CREDENTIALS
        or (status is None and not noted.error and _NOT_SIGNED_IN.search(message))
    ):
        failure = MemberError(_message(error), kind="key", permanent=True)
    elif not status and _UNSENDABLE.search(message):
        why = f"the key cannot be sent: it has a line break or another such character ({message})"
        failure = MemberError(why, kind="key", permanent=True)
    elif "ClaudeRefusal" in class_names or (
        status in _MAY_REFUSE and _REFUSED.search(_all_said(message, noted))
    ):
        failure = _refusal(error, message, noted)
    elif status is not None:
        failure = _http_error(status, message, error, noted)
    elif class_names & _CONNECTION_LOST:
        failure = _connection_error(error)
    elif class_names & _BROKEN_OFF or noted.broke_off:
        failure = MemberError(f"broken off: {message}", kind="broken_off", passing=True)
    elif noted.error:  # an error that was sent with status 200
        failure = reported_error(_reason(noted), noted)
    else:
        failure = _without_status(error, message)
    return failure


_MAY_REFUSE = frozenset({None, 400, 403, 422})
"""Statuses of a refusal; `None` where there is none, or 200."""
_NOT_SIGNED_IN = re.compile(
    r"authentication required|\bno (?:\S+ )?auth found|\bre-?authenticate|failed to authenticate"
    r"|expired access token|\bauth login\b|\bcli not found",
    re.IGNORECASE,
)
"""As plugins say it that use the sign-in of another program, before anything is sent."""
_UNSENDABLE = re.compile(
    r"illegal header value|invalid (?:header|leading whitespace)", re.IGNORECASE
)


def reported_error(reason: str, noted: LastResponse) -> MemberError:
    """An error that the provider reports within a reply of status 200."""
    no_credit = _NO_CREDIT.search(reason) is not None
    return MemberError(
        f"the provider reports: {reason}",
        kind="provider",
        passing=not no_credit,
        permanent=no_credit,
        retry_after=None if no_credit else wait_asked_for(_all_headers(noted), reason),
    )


def _refusal(error: BaseException, message: str, noted: LastResponse) -> MemberError:
    """A refusal, with the tokens and the text that had come before it."""
    said = _one_line(noted.text)[:_SHOWN] if noted.text else ""
    return MemberError(
        f"the provider refused to answer ({message if noted.failed else _message(error)})"
        + (f": {said}" if said else ""),
        kind="refused",
        permanent=True,
        spent=Spending(
            input_tokens=noted.count("input_tokens", "prompt_tokens"),
            output_tokens=noted.count("output_tokens", "completion_tokens"),
        ),
    )


_SHOWN = 200
"""The most characters shown of what a model wrote before it refused."""


def _connection_error(error: BaseException) -> MemberError:
    untrusted = any(isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error))
    why = f"connection lost: {_cause(error)}"
    return MemberError(why, kind="connection", passing=not untrusted, permanent=untrusted)


def may_refuse_schema(error: BaseException, noted: LastResponse) -> bool:
    """Whether the schema may be at fault, so that it is worth asking once without it.

    Providers say it in many words, so every request that is called malformed counts.
    """
    said = _all_said(_message(error), noted)
    status = _status(error, noted)
    if status in _MALFORMED_REQUEST:
        return not _OTHER_FAULT.search(said)
    return (status or _CLIENT_ERROR) < _SERVER_ERROR and _SCHEMA_REFUSED.search(said) is not None


def _all_said(message: str, noted: LastResponse) -> str:
    """The message and the body of an error; the body of a reply is the model's, and may say all."""
    is_error = noted.failed or bool(noted.error)
    return f"{message} {noted.body[:MAX_BODY]}" if is_error else message


_MALFORMED_REQUEST = frozenset({400, 422})
_OTHER_FAULT = re.compile(
    r"api.?key|context.?(?:length|window)|too (?:long|many tokens)|credit|quota|content_filter"
    r"|safety|invalid_prompt|expired",
    re.IGNORECASE,
)


def _http_error(
    status: int, message: str, error: BaseException, noted: LastResponse
) -> MemberError:
    said = _all_said(message, noted)
    no_credit = status == _PAYMENT_REQUIRED or _NO_CREDIT.search(said) is not None
    passing = (status in _PASSING_STATUS or status >= _SERVER_ERROR) and not no_credit
    return MemberError(
        f"HTTP {status}: {'no credit is left: ' if no_credit else ''}{message}",
        kind="http",
        permanent=not passing,
        passing=passing,
        retry_after=(
            wait_asked_for(_headers(error) or _all_headers(noted), said) if passing else None
        ),
    )


def _without_status(error: BaseException, message: str) -> MemberError:
    if isinstance(error, _MALFORMED) and not isinstance(error, llm.UnknownModelError):
        why = f"the provider's reply was not in the form its API promises ({message})"
        return MemberError(why, kind="malformed")
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        why = f"the reply could not be read: {message}"
        return MemberError(why, kind="malformed", passing=True)
    if isinstance(error, llm.ModelError | SystemExit) and _SOUNDS_PASSING.search(message):
        return MemberError(
            message, kind="provider", passing=True, retry_after=wait_asked_for({}, message)
        )
    if isinstance(error, SystemExit):
        return MemberError(f"the plugin tried to end the process ({message})", kind="error")
    if isinstance(error, ValueError | TypeError):  # a bad option, an unsupported schema
        return MemberError(message, kind="request", permanent=True)
    return MemberError(message, kind="error")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on; the first of a group."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__ or error


def _status(error: BaseException, noted: LastResponse) -> int | None:
    """The HTTP status of an error: of the last response, or where SDKs keep it."""
    if noted.failed:
        return noted.status
    candidates = [noted.error.get("code")]
    for each in _chain(error):
        response = getattr(each, "response", None)
        candidates += [getattr(each, "status_code", None), getattr(response, "status_code", None)]
        if isinstance(response, dict):  # botocore
            candidates.append(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    return next((c for c in candidates if isinstance(c, int) and c >= _CLIENT_ERROR), None)


def _headers(error: BaseException) -> dict[str, str]:
    for each in _chain(error):
        response = getattr(each, "response", None)
        headers = getattr(response, "headers", None)
        if isinstance(response, dict):  # botocore
            headers = response.get("ResponseMetadata", {}).get("HTTPHeaders")
        if headers:
            return {str(name).lower(): str(value) for name, value in headers.items()}
    return {}


def _all_headers(noted: LastResponse) -> dict[str, str]:
    """The response's headers, and those that OpenRouter passes on within its error."""
    metadata = noted.error.get("metadata")
    inner = metadata.get("headers") if isinstance(metadata, dict) else None
    more = inner.items() if isinstance(inner, dict) else ()
    return {**noted.headers, **{str(name).lower(): str(value) for name, value in more}}


def _reason(noted: LastResponse) -> str:
    """What the provider gives as the reason, in one line."""
    return _one_line(
        str(noted.error.get("message") or noted.error.get("code") or "no reason given")
    )


def _with_reason(message: str, noted: LastResponse) -> str:
    """The message with the provider's reason, where the plugin has lost it."""
    if not noted.error:
        return message
    reason = _reason(noted)
    known = reason[:40] in message or reason == "no reason given"
    return message if known else _cut(f"{message}: {reason}")


def _cause(error: BaseException) -> str:
    """Why a connection was lost, in words: the innermost cause knows."""
    *_, innermost = _chain(error)
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _cut(f"the server's certificate is not trusted ({_message(each)})")
        if isinstance(each, socket.gaierror):
            return _cut(f"the host name is not known; is the network up? ({_message(each)})")
        if isinstance(each, ConnectionRefusedError):
            return _cut(f"nothing answers at that address ({_message(each)})")
        if type(each).__name__ == "ProxyError":
            return _cut(f"the proxy refused ({_message(each)})")
    return described(innermost)


def described(error: BaseException) -> str:
    """The exception in one line that is safe to show: no keys, no control characters."""
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    # str() quotes the message of a KeyError (such as llm.UnknownModelError); its argument does not.
    raw = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return _one_line(raw)


def _one_line(text: str) -> str:
    flat = " ".join(clean(without_secrets(text)).split())
    return _cut(flat or "no further explanation")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
