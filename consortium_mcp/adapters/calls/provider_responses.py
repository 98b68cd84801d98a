"""Reads a complete llm response: its text, its tokens, why it ended, and what is odd about it.

llm passes several failures on as ordinary responses; here each of them becomes a `MemberError`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.models.failures import reported_error
from consortium_mcp.adapters.wire.last_response import LastResponse, last_response
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Spending

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REPLY = 1_000_000
"""Characters kept of one reply. No answer is that long, but a runaway generation may be."""
# Providers' finish reasons for a reply that was cut short, and for one that was withheld.
_CUT_SHORT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}
)
_REFUSED = frozenset(
    {
        "content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety",
        "recitation", "prohibited_content", "blocklist", "spii", "image_safety", "model_armor",
        "language",
    }
)  # fmt: skip
_FAILED = frozenset({"error", "malformed_response", "malformed_function_call"})


@dataclass(frozen=True)
class ProviderResponse:
    """The content of one response."""

    text: str
    spent: Spending
    finish_reason: str | None
    cache_written: int = 0
    """Tokens of the input that the provider wrote to its cache, which may cost more."""
    warnings: tuple[str, ...] = ()
    earlier: tuple[ProviderResponse, ...] = ()
    """Those before it, where it took several calls with tools in between."""


def read_response(model: Any, response: Any, text: str | None = None) -> ProviderResponse:  # noqa: ANN401 (llm's classes share no public base)
    """Read a complete response.

    Args:
        model: llm's model.
        response: llm's response, awaited.
        text: what `salvaged_text` returned, where llm could not give the text.

    Raises:
        MemberError: the response is a failure in disguise, or holds no text.
    """
    body = response.response_json if isinstance(response.response_json, dict) else None
    _raise_if_failed(model, body)
    said = "".join(response._chunks) if text is None else text  # noqa: SLF001 (text() of a sync response would ask again)
    wire = last_response()
    if wire.broke_off:
        why = "the reply broke off before it was complete"
        raise MemberError(why, kind="broken_off", passing=True)
    seen = _seen_on(wire)
    _raise_if_reported((*seen, body or {}), wire)
    usages = [usage for each in (body or {}, *seen) if (usage := _usage(each))]
    spent, cache_written = _spending(response, usages, body or {})
    content = ProviderResponse(
        text=clean(said if said.strip() else _tool_arguments(response)),
        spent=spent,
        cache_written=cache_written,
        finish_reason=_finish_reason(body or {})
        or next((reason for each in seen if (reason := _finish_reason(each))), None),
    )
    if content.finish_reason in _FAILED:
        why = f"the provider reports that the reply failed ({content.finish_reason})"
        raise MemberError(
            why,
            kind="broken_off",
            passing=True,
            spent=content.spent,
        )
    if content.finish_reason in _REFUSED or not content.text.strip():
        raise _no_text(content, _refusal_words((body or {}, *seen)))
    return replace(
        content, text=content.text[:MAX_REPLY], warnings=_warnings(content, incomplete=bool(text))
    )


_INPUT = ("prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount")
_OUTPUT = ("completion_tokens", "output_tokens", "outputTokens")
_CACHED = (
    "cached_tokens", "cache_read_input_tokens", "cachedContentTokenCount",
    "prompt_cache_hit_tokens", "cacheReadInputTokens",
)  # fmt: skip
_CACHE_WRITTEN = ("cache_creation_input_tokens", "cacheWriteInputTokens")
_APART = {"cache_read_input_tokens", "cacheReadInputTokens"}
"""Where a provider tells of its cache by these names (Anthropic, Bedrock), its input tokens are
only those that are not in the cache."""


def _seen_on(wire: LastResponse) -> list[dict[str, Any]]:
    """What came over the wire, the last first: some plugins keep nothing of the response."""
    return list(reversed(wire.events)) if wire.is_stream else [wire.content]


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    """The provider's count of tokens, at the places where the APIs have it."""
    message = body.get("message")  # Anthropic's first event
    inner = message.get("usage") if isinstance(message, dict) else None
    for usage in (body.get("usage"), body.get("usageMetadata"), inner):
        if isinstance(usage, dict):
            tokens = usage.get("tokens")  # Cohere's are one level deeper
            return tokens if isinstance(tokens, dict) else usage
    return {}


def _spending(
    response: Any,  # noqa: ANN401
    usages: list[dict[str, Any]],
    body: dict[str, Any],
) -> tuple[Spending, int]:
    """What the call used, and the tokens that were written to the cache.

    The cost is here where it is told, as our agent programs do and OpenRouter does.
    """
    details = response.token_details
    counts = [*usages, *([details] if isinstance(details, dict) else [])]
    cached, written = _nested_count(counts, _CACHED), _nested_count(counts, _CACHE_WRITTEN)
    sent = _first_count(response.input_tokens, usages, _INPUT)
    if sent is not None and any(_APART & each.keys() for each in counts):
        sent += (cached or 0) + (written or 0)
    told = [body.get("cost_usd"), *(usage.get("cost") for usage in usages)]
    costs = [each for each in told if isinstance(each, (int, float)) and not isinstance(each, bool)]
    return Spending(
        input_tokens=sent,
        output_tokens=_first_count(response.output_tokens, usages, _OUTPUT),
        cached_tokens=cached,
        cost_usd=costs[0] if costs else None,
        priced_calls=1 if costs else 0,
    ), written or 0


def _first_count(told: object, usages: list[dict[str, Any]], names: tuple[str, ...]) -> int | None:
    """The tokens that the plugin tells, else those that stand in the provider's usage."""
    found = (usage.get(name) for usage in usages for name in names)
    return next((n for each in (told, *found) if (n := _token_count(each)) is not None), None)


def _nested_count(counts: list[dict[str, Any]], names: tuple[str, ...]) -> int | None:
    """The first count of one of these names, at the top or in details such as OpenAI's."""
    levels = [part for each in counts for part in (each, *_dicts_in(each))]
    found = (level.get(name) for level in levels for name in names)
    return next((n for each in found if (n := _token_count(each)) is not None), None)


def _dicts_in(usage: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for value in usage.values() if isinstance(value, dict)]


def _tool_arguments(response: Any) -> str:  # noqa: ANN401
    """The arguments of the only tool call, as JSON.

    Plugins of models without structured outputs force a call of a tool that has the schema.
    """
    calls = getattr(response, "_tool_calls", [])
    return json.dumps(calls[0].arguments, ensure_ascii=False) if len(calls) == 1 else ""


def salvaged_text(response: Any) -> str | None:  # noqa: ANN401
    """The text of a chat completion that llm received but could not parse.

    llm fails on a reply without usage, although its text has arrived and is paid for.

    Raises:
        MemberError: the reply is a provider's error, sent with status 200.
    """
    body = response.response_json
    if last_response().error:
        return None  # the wire tells more of it, such as its status
    if isinstance(body, dict) and isinstance(error := body.get("error"), dict):
        message = str(error.get("message") or "no reason given")
        raise MemberError(f"the provider reports: {message}", kind="provider", passing=True)
    try:
        text = body["choices"][0]["message"]["content"]
    except (TypeError, KeyError, IndexError):
        return None
    return text if isinstance(text, str) else None


def _raise_if_failed(model: Any, body: dict[str, Any] | None) -> None:  # noqa: ANN401
    """Raise for a failure that the Responses API reports inside a reply and llm ignores."""
    if body is not None and body.get("status") in {"failed", "cancelled"}:
        error = body.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        raise MemberError(
            f"the provider reports that the reply {body['status']}: {message or 'no reason given'}",
            kind="provider",
            passing=True,
        )
    # When it streams, llm keeps nothing of a Responses reply that did not complete.
    if body is None and "Responses" in type(model).__name__:
        raise MemberError(
            "the reply broke off before it was complete", kind="broken_off", passing=True
        )


def _raise_if_reported(seen: Iterable[dict[str, Any]], wire: LastResponse) -> None:
    """Raise for an error that came with status 200: as an event, in the reply, or in a choice."""
    for each in seen if not wire.failed else ():
        choices = each.get("choices")
        inner = choices if isinstance(choices, list) else []
        for holder in (each, *inner):
            error = holder.get("error") if isinstance(holder, dict) else None
            if isinstance(error, dict) and error.get("message"):
                raise reported_error(str(error["message"])[:_SHOWN], wire)


def _refusal_words(seen: Iterable[dict[str, Any]]) -> str:
    """What the model said instead of an answer, where OpenAI's APIs put it."""
    for each in seen:
        choices = each.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            message = choice.get("message") if isinstance(choice, dict) else None
            if isinstance(message, dict) and isinstance(message.get("refusal"), str):
                return str(message["refusal"])
        output = each.get("output")
        for item in output if isinstance(output, list) else []:
            if _is_refusal(item):
                return " ".join(str(part.get("refusal") or "") for part in item["content"])
    return ""


def _no_text(content: ProviderResponse, words: str) -> MemberError:
    refused = content.finish_reason in _REFUSED
    if refused:
        text = " ".join((content.text or words).split())[:_SHOWN]
        said = f": {text}" if text else ""
        message = f"the provider refused to answer ({content.finish_reason}){said}"
    else:
        why = f"; it ended by {content.finish_reason}" if content.finish_reason else ""
        message = f"the reply was empty (no text in it{why})"
    return MemberError(
        message,
        kind="refused" if refused else "empty",
        permanent=refused,
        spent=content.spent,
    )


_SHOWN = 200
"""The most characters shown of what a model wrote before it refused."""
_TOKEN_LIMIT = 2**53
"""JSON and SQLite hold every count below this; a larger one is garbage."""


def _token_count(tokens: object) -> int | None:
    """The tokens that a provider reports, or `None` where that is no plausible count."""
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        return None
    return tokens if 0 <= tokens < _TOKEN_LIMIT else None


def _finish_reason(body: dict[str, Any]) -> str | None:
    """Why the model stopped, in the provider's word; each plugin keeps it in another place."""
    details, stop = body.get("incomplete_details"), body.get("messageStop")
    candidates: list[Any] = [
        body.get("finish_reason"),
        body.get("stop_reason"),
        body.get("done_reason"),
        details.get("reason") if isinstance(details, dict) else None,
        stop.get("stopReason") if isinstance(stop, dict) else None,  # Bedrock
    ]
    for field, name in (("choices", "finish_reason"), ("candidates", "finishReason")):
        first = body.get(field)
        if isinstance(first, list) and first and isinstance(first[0], dict):
            candidates.append(first[0].get(name))
            message = first[0].get("message")
            if isinstance(message, dict) and message.get("refusal"):
                candidates.insert(0, "refusal")
    feedback = body.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        candidates.insert(0, "prohibited_content")
    output = body.get("output")
    if isinstance(output, list) and any(_is_refusal(item) for item in output):
        candidates.insert(0, "refusal")
    return next((reason.lower() for reason in candidates if isinstance(reason, str)), None)


def _is_refusal(item: Any) -> bool:  # noqa: ANN401
    """Whether an item of the Responses API is a refusal."""
    content = item.get("content") if isinstance(item, dict) else None
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "refusal" for part in content
    )


def _warnings(content: ProviderResponse, *, incomplete: bool) -> tuple[str, ...]:
    warnings = []
    if incomplete:
        warnings.append("the reply lacked a part that the API promises (such as its token usage)")
    elif content.spent.input_tokens is None and content.spent.output_tokens is None:
        warnings.append("the provider reported no token usage")
    if content.finish_reason in _CUT_SHORT:
        warnings.append(f"the reply was cut short by the provider ({content.finish_reason})")
    if len(content.text) > MAX_REPLY:
        warnings.append(f"the reply had {len(content.text)} characters; {MAX_REPLY} were kept")
    return tuple(warnings)
