"""What a complete response of llm's says: text, tokens, why it ended, and what is odd about it.

Several failures reach llm's caller as an ordinary response; here each gets its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.text import clean

MAX_REPLY = 1_000_000
"""Characters kept of one reply; no answer is that long, but a runaway generation may be."""
# Why providers say that a reply ended before its author was done, or was not let out.
_CUT_SHORT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}
)
_REFUSED = frozenset(
    {"content_filter", "refusal", "safety", "recitation", "prohibited_content", "blocklist", "spii"}
)


@dataclass(frozen=True)
class ProviderResponse:
    """A response, read."""

    text: str
    input_tokens: int | None
    output_tokens: int | None
    finish_reason: str | None
    warnings: tuple[str, ...] = ()


def read_response(model: Any, response: Any, text: str | None = None) -> ProviderResponse:  # noqa: ANN401 (llm's classes share no public base)
    """Read a response that is complete.

    Args:
        model: llm's model.
        response: llm's response, awaited.
        text: its text, where llm could not say it.

    Raises:
        MemberError: the response is a failure in disguise, or holds no text.
    """
    found = response.response_json if isinstance(response.response_json, dict) else None
    _raise_if_failed(model, found)
    said = ProviderResponse(
        text=clean("".join(response._chunks) if text is None else text),  # noqa: SLF001 (text() of a sync response would ask again)
        input_tokens=_count(response.input_tokens),
        output_tokens=_count(response.output_tokens),
        finish_reason=_finish_reason(found or {}),
    )
    if not said.text.strip():
        raise _no_text(said)
    return replace(said, text=said.text[:MAX_REPLY], warnings=_warnings(said, lacking=bool(text)))


def salvaged_text(response: Any) -> str | None:  # noqa: ANN401
    """The text of a chat completion that llm has received but could not take apart.

    It stumbles over a reply without usage, though the text has come and is paid for.

    Raises:
        MemberError: what has come is a provider's error, sent with status 200.
    """
    found = response.response_json
    if isinstance(found, dict) and isinstance(error := found.get("error"), dict):
        said = str(error.get("message") or "no reason given")
        raise MemberError(f"the provider reports: {said}", kind="provider", passing=True)
    try:
        text = found["choices"][0]["message"]["content"]
    except (TypeError, KeyError, IndexError):
        return None
    return text if isinstance(text, str) else None


def _raise_if_failed(model: Any, found: dict[str, Any] | None) -> None:  # noqa: ANN401
    """Name a failure that the Responses API reports inside a reply, and llm passes over."""
    if found is not None and found.get("status") in {"failed", "cancelled"}:
        error = found.get("error")
        said = error.get("message") if isinstance(error, dict) else None
        raise MemberError(
            f"the provider reports that the reply {found['status']}: {said or 'no reason given'}",
            kind="provider",
            passing=True,
        )
    # Streamed, llm keeps nothing of a Responses reply that did not complete.
    if found is None and "Responses" in type(model).__name__:
        raise MemberError(
            "the reply broke off before it was complete", kind="broken_off", passing=True
        )


def _no_text(said: ProviderResponse) -> MemberError:
    refused = said.finish_reason in _REFUSED
    why = f"; it ended by {said.finish_reason}" if said.finish_reason else ""
    return MemberError(
        f"the provider refused to answer ({said.finish_reason})"
        if refused
        else f"the reply was empty (no text in it{why})",
        kind="refused" if refused else "empty",
        permanent=refused,
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
    )


_MOST_TOKENS = 2**53
"""What JSON and SQLite both hold; more is no count but garbage."""


def _count(tokens: object) -> int | None:
    """A number of tokens as a provider may report it; anything else is no number."""
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        return None
    return tokens if 0 <= tokens < _MOST_TOKENS else None


def _finish_reason(found: dict[str, Any]) -> str | None:
    """Why the model stopped, as the provider says it; each plugin keeps it somewhere else."""
    details = found.get("incomplete_details")
    candidates: list[Any] = [
        found.get("finish_reason"),
        found.get("stop_reason"),
        found.get("done_reason"),
        details.get("reason") if isinstance(details, dict) else None,
    ]
    for field, name in (("choices", "finish_reason"), ("candidates", "finishReason")):
        first = found.get(field)
        if isinstance(first, list) and first and isinstance(first[0], dict):
            candidates.append(first[0].get(name))
            message = first[0].get("message")
            if isinstance(message, dict) and message.get("refusal"):
                candidates.insert(0, "refusal")
    return next((reason.lower() for reason in candidates if isinstance(reason, str)), None)


def _warnings(said: ProviderResponse, *, lacking: bool) -> tuple[str, ...]:
    warnings = []
    if lacking:
        warnings.append("the reply lacked a part that the API promises (such as its token usage)")
    elif said.input_tokens is None and said.output_tokens is None:
        warnings.append("the provider reported no token usage")
    if said.finish_reason in _CUT_SHORT | _REFUSED:
        warnings.append(f"the reply was cut short by the provider ({said.finish_reason})")
    if len(said.text) > MAX_REPLY:
        warnings.append(f"the reply had {len(said.text)} characters; {MAX_REPLY} were kept")
    return tuple(warnings)
