"""Reads single values: texts, words, numbers, JSON in a text; else the error is one sentence."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ToolError

from consortium_mcp.core.domain.text import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "prompt": '"Which is larger, 9.11 or 9.9?"',
    "models": '["gpt-4o:2", "claude-opus-5"]',
    "attachments": '["plan.pdf", "https://example.com/photo.png"]',
    "schema": '{"type": "object", "properties": {"total": {"type": "number"}}}',
    "on_unsupported": '"text"',
    "arbiter": '"gpt-5.5"',
    "arbiters": '["gpt-5.5", "claude-opus-5"]',
    "arbiter_options": '{"temperature": 0}',
    "strategy": '"vote"',
    "sampling": '"adaptive"',
    "escalate_to": '"claude-opus-5"',
    "system": '"Answer in one sentence."',
    "criteria": '"Correctness over style; answer in French."',
    "template": '"review_change"',
    "consortium": '"council"',
    "clone": '"council"',
    "name": '"council"',
    "description": '"For questions of law."',
    "confidence_threshold": "0.8",
    "quorum": "0.75",
    "max_iterations": "3",
    "min_iterations": "1",
    "max_calls": "12",
    "max_total_tokens": "50000",
    "max_cost": "0.5",
    "deadline_seconds": "300",
    "member_timeout": "120",
    "arbiter_timeout": "120",
    "straggler_grace": "5",
    "wait_seconds": "40",
    "dry_run": "true",
    "overwrite": "true",
    "force": "true",
    "limit": "20",
    "cursor": '"120"',
    "query": '"migration lock"',
    "status": '"completed"',
    "include": '["responses"]',
    "offset": "0",
    "reuse": '"1h"',
    "run_id": '"latest"',
    "continue_run": '"latest"',
}
"""By argument, as a call has it."""
_ANY_CASE = {"strategy"}
"""Texts that name one of several things; those with an `enum` are read in any case anyway."""
_MEANT_VALUES = {
    "done": "completed", "finished": "completed", "success": "completed", "ok": "completed",
    "running": "working", "pending": "working", "in_progress": "working", "active": "working",
    "error": "failed", "failure": "failed", "stopped": "cancelled", "canceled": "cancelled",
    "aborted": "cancelled", "crashed": "interrupted", "dead": "interrupted",
    "answers": "responses", "members": "responses", "replies": "responses",
    "verdicts": "iterations", "rounds": "iterations", "calls": "exchanges", "prompts": "exchanges",
    "all": "full", "none": "full", "lazy": "thrifty",
    "high": "strong", "top": "strong", "medium": "mid", "middle": "mid", "low": "light",
    "weak": "light", "small": "light",
}  # fmt: skip
"""Words that callers use, and what they mean by them."""


def wrong(name: str, value: object, wanted: str) -> ToolError:
    """The error for a value that cannot be read, with an example."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
    example = f"{name}={EXAMPLES[name]}"
    return ToolError(f"{name} is {shown}; it must be {wanted}, for example {example}.")


_SHOWN = 60


def text(name: str, value: object, choices: list[str] | None = None) -> str:
    """The text as it is, or the one of `choices` that is meant."""
    if not isinstance(value, str):
        raise wrong(name, value, "a text")
    if name in _ANY_CASE:
        return value.strip().lower()
    return value if choices is None else choice(name, value, choices)


def choice(name: str, value: str, choices: list[str]) -> str:
    """The one of these words that is meant, in any case."""
    word = value.strip().lower().replace(" ", "_")
    if word in choices:
        return word
    meant = _MEANT_VALUES.get(word)
    near = [meant] if meant in choices else closest(word, choices)
    if near:
        raise ToolError(f"{name} has no {value!r}. Did you mean {near[0]!r}?")
    raise ToolError(f"{name} has no {value!r}. Write one of {', '.join(choices)}.")


def number(name: str, value: object) -> float:
    """A number, or a text of one."""
    found = value
    if isinstance(value, str):
        try:
            found = float(value.strip().removeprefix("$").removesuffix("s").replace(",", "."))
        except ValueError:
            raise wrong(name, value, "a number") from None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        raise wrong(name, value, "a number")
    return found


def whole(name: str, value: object) -> int:
    """A whole number, or a text of one."""
    try:
        found = number(name, value)
    except ToolError:
        raise wrong(name, value, "a whole number") from None
    if found != int(found):
        raise wrong(name, value, "a whole number")
    return int(found)


def truth(name: str, value: object) -> bool:
    """True or false, or a word for it."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    word = str(value).strip().lower()
    if isinstance(value, (bool, int, str)) and word in words:
        return words[word]
    raise wrong(name, value, "true or false")


def template(value: object) -> str | dict[str, Any]:
    """A template's name, or the name and its parameters."""
    found = from_json(value, "{")
    if isinstance(found, str):
        return found
    if isinstance(found, dict):
        params = from_json(found.get("params") or {}, "{")
        if isinstance(found.get("name"), str) and isinstance(params, dict):
            return found | {"params": params}
    raise wrong("template", value, 'a name, or {"name": "…", "params": {…}}')


def from_json(value: object, begins: str) -> object:
    """The value, or what it holds where it is a text of JSON."""
    if not isinstance(value, str) or not value.lstrip().startswith(begins):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
