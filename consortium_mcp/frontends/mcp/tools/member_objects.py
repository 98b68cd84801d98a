"""Reads one member of `models`: an id, or an object with the member's own settings."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from consortium_mcp.frontends.mcp.tools.values import choice, from_json, whole

_FIELDS = ("model", "count", "system", "options", "tier", "role")
_MEANT = {
    "name": "model", "id": "model", "instances": "count", "n": "count", "number": "count",
    "instructions": "system", "system_prompt": "system", "weight": "tier",
}  # fmt: skip


def read_member(value: object) -> str | dict[str, Any]:
    """The member; in an object, `count` goes behind its model.

    Raises:
        ToolError: it cannot be read; one sentence with an example.
    """
    value = from_json(value, "{")
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ToolError(f'A member is {value!r}; write its id, such as "gpt-4o" or "gpt-4o:2".')
    found = {_field(key): inner for key, inner in value.items() if inner not in (None, "", {})}
    if not isinstance(found.get("model"), str):
        raise ToolError('A member needs its model, as in {"model": "gpt-4o", "count": 2}.')
    read = {field: _read(field, inner) for field, inner in found.items()}
    count = read.pop("count", None)
    return read if count is None else read | {"model": f"{read['model']}:{count}"}


def _field(key: object) -> str:
    word = str(key).strip().lower()
    field = _MEANT.get(word, word)
    if field not in _FIELDS:
        raise ToolError(
            f"A member has no {key!r}. The model's own options stand in options, as in "
            f'{{"model": "gpt-4o", "options": {{"{key}": …}}}}.'
        )
    return field


def _read(field: str, value: object) -> Any:  # noqa: ANN401 (of the field's type)
    if field == "count":
        try:
            return whole("models", value)
        except ToolError:
            raise ToolError(
                f"The count of a member is {value!r}; it must be a whole number, as in "
                '{"model": "gpt-4o", "count": 2}.'
            ) from None
    if field == "options":
        options = from_json(value, "{")
        if not isinstance(options, dict):
            raise ToolError(
                f"The options of a member are {value!r}; they must be an object, as in "
                '{"model": "gpt-4o", "options": {"temperature": 0}}.'
            )
        return options
    if field == "tier":
        return choice("tier", str(value), ["strong", "mid", "light"])
    if not isinstance(value, str):
        raise ToolError(f"The {field} of a member is {value!r}; it must be a text.")
    return value
