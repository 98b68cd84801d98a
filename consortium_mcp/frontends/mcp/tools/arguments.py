"""Reads arguments as clients and models really send them, before the SDK checks them.

Models write numbers as text, one name for a list of names, `null` or an empty text for what they
leave out; clients that demand every field make them fill in all. What cannot be read is told in one
sentence with an example. A text stays the text that it is, even if it looks like JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ToolError

from consortium_mcp.core.domain.request import MAX_TOKENS_MEANINGS
from consortium_mcp.core.domain.text import closest
from consortium_mcp.frontends.mcp.tools.attachment_objects import read_attachment
from consortium_mcp.frontends.mcp.tools.member_objects import read_member
from consortium_mcp.frontends.mcp.tools.values import (
    EXAMPLES,
    from_json,
    number,
    template,
    text,
    truth,
    whole,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema = dict[str, Any]
_ZERO_SAYS_NOTHING = {"deadline_seconds", "member_timeout", "arbiter_timeout", "quorum", "max_cost"}
"""Besides those whose least value is 1: a zero means that they are not given."""
_MEANT = {
    "question": "prompt", "message": "prompt", "input": "prompt", "text": "prompt",
    "members": "models", "model": "models", "panel": "models",
    "judge": "arbiter", "judges": "arbiters",
    "instructions": "system", "system_prompt": "system",
    "threshold": "confidence_threshold", "confidence": "confidence_threshold",
    "rounds": "max_iterations", "iterations": "max_iterations",
    "budget": "max_cost", "cost": "max_cost", "max_cost_usd": "max_cost",
    "timeout": "deadline_seconds", "deadline": "deadline_seconds", "wait": "wait_seconds",
    "json_schema": "schema", "output_schema": "schema", "response_format": "schema",
    "files": "attachments", "images": "attachments", "attachment": "attachments",
    "id": "run_id", "run": "run_id", "search": "query", "words": "query",
    "plan": "dry_run", "force": "overwrite",
}  # fmt: skip
"""Names that callers use, and what they mean by them."""
_MODEL_OPTIONS = {"temperature", "top_p", "seed", "reasoning_effort", "max_output_tokens"}
_FEW = 5


def read_arguments(
    tool: str, schema: Schema, given: Mapping[str, Any], elsewhere: Mapping[str, str]
) -> dict[str, Any]:
    """The arguments, as the tool's own types have them.

    Args:
        tool: its name.
        schema: of its arguments, as pydantic makes it.
        given: what the client sent.
        elsewhere: arguments that only another tool has -> that tool.

    Raises:
        ToolError: something cannot be read; one sentence with an example.
    """
    fields, definitions = schema.get("properties", {}), schema.get("$defs", {})
    required = schema.get("required", ())
    found = {}
    for name, value in given.items():
        if name not in fields:
            asks_length = name == "max_tokens" and "max_total_tokens" in fields
            raise ToolError(
                MAX_TOKENS_MEANINGS if asks_length else _unknown(tool, name, fields, elsewhere)
            )
        field = _plain(fields[name], definitions)
        if name not in required and _says_nothing(name, value, field):
            continue
        found[name] = _read(name, value, field)
    for name in required:
        if name not in found or (found[name] is None):
            raise ToolError(f"{tool} needs {name}, for example {name}={EXAMPLES[name]}.")
    return found


def _unknown(tool: str, name: str, fields: Mapping[str, Any], elsewhere: Mapping[str, str]) -> str:
    meant = _MEANT.get(name.lower(), "")
    if meant in fields:
        return f"{tool} has no {name!r}: write {meant}={EXAMPLES[meant]}."
    if name in elsewhere:
        return (
            f"{tool} has no {name!r}, which only {elsewhere[name]} has: save a consortium with "
            f"{name}={EXAMPLES[name]}, and name it here."
        )
    if name in _MODEL_OPTIONS and "models" in fields:
        return (
            f"{tool} has no {name!r}, which is an option of a model, as in "
            f'models=[{{"model": "gpt-4o", "options": {{"{name}": …}}}}].'
        )
    if near := closest(name, fields):
        return f"{tool} has no {name!r}. Did you mean {near[0]}={EXAMPLES[near[0]]}?"
    first, more = ", ".join(list(fields)[:_FEW]), len(fields) - _FEW
    takes = (
        f"It takes {first}{f' and {more} more' if more > 0 else ''}" if fields else "It has none"
    )
    return f"{tool} has no {name!r}. {takes}."


def _plain(field: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The field's schema without `null`, references resolved."""
    arms = [_plain(arm, definitions) for arm in field.get("anyOf", ())]
    arms = [arm for arm in arms if arm.get("type") != "null"]
    more = {key: value for key, value in field.items() if key != "anyOf"}
    if len(arms) == 1:
        return _plain(arms[0] | more, definitions)
    if arms:
        return {"anyOf": arms} | more
    if (reference := field.get("$ref")) is not None:
        return _plain(definitions[reference.rpartition("/")[2]], definitions)
    if "items" in field:
        return field | {"items": _plain(field["items"], definitions)}
    return field


def _says_nothing(name: str, value: object, field: Schema) -> bool:
    """Whether an optional argument was only filled in: it counts as not given."""
    if value is None or value in ([], {}):
        return True
    if isinstance(value, str):
        return value.strip().lower() in {"", "null", "none", "undefined"}
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0:
        return field.get("minimum", 0) >= 1 or name in _ZERO_SAYS_NOTHING
    return False


def _read(name: str, value: object, field: Schema) -> Any:  # noqa: ANN401 (of the field's type)
    kind = field.get("type", "string")
    readers: dict[str, Callable[[], Any]] = {
        "string": lambda: text(name, value, field.get("enum")),
        "integer": lambda: whole(name, value),
        "number": lambda: number(name, value),
        "boolean": lambda: truth(name, value),
        "array": lambda: _list(name, value, field),
        "object": lambda: _object(name, value),
    }
    if name == "schema":  # clients are told of a text, which costs fewest bytes
        return _object(name, value)
    return template(value) if name == "template" else readers[kind]()


def _list(name: str, value: object, field: Schema) -> list[Any]:
    items = field["items"]
    takes_objects = any(arm.get("type") == "object" for arm in items.get("anyOf", ()))
    found = from_json(from_json(value, "["), "{")
    if name == "attachments":
        several = found if isinstance(found, list) else [found]
        return [read_attachment(each) for each in several if each not in (None, "")]
    if isinstance(found, str):
        found = [each.strip() for each in found.split(",") if each.strip()]
    if isinstance(found, dict) and takes_objects:
        is_member = {"model", "name", "id"} & found.keys()
        found = [found] if is_member else [{"model": k, "count": v} for k, v in found.items()]
    if not isinstance(found, list):
        raise wrong(name, value, "a list")
    if takes_objects:
        return [read_member(each) for each in found if each not in (None, "")]
    return [text(name, each, items.get("enum")) for each in found]


def _object(name: str, value: object) -> dict[str, Any]:
    found = from_json(value, "{")
    if not isinstance(found, dict):
        raise wrong(name, value, "an object")
    return found
