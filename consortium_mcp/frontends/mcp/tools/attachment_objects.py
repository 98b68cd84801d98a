"""Reads one of `attachments`: a path or a URL, or an object with its content."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from consortium_mcp.frontends.mcp.tools.values import from_json

FIELDS = ("path", "url", "text", "base64", "type", "name")
_MEANT = {
    "file": "path", "file_path": "path", "filename": "name", "uri": "url", "href": "url",
    "content": "text", "data": "base64", "blob": "base64", "mime": "type", "mimetype": "type",
    "mime_type": "type", "media_type": "type", "title": "name",
}  # fmt: skip
_EXAMPLE = '{"path": "plan.pdf"} or {"base64": "…", "type": "image/png"}'


def read_attachment(value: object) -> str | dict[str, Any]:
    """The attachment; a text stays as it is.

    Raises:
        ToolError: it cannot be read; one sentence with an example.
    """
    value = from_json(value, "{")
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ToolError(f"An attachment is {value!r}; write its path or URL, or {_EXAMPLE}.")
    found: dict[str, Any] = {}
    for key, inner in value.items():
        word = str(key).strip().lower()
        field = _MEANT.get(word, word)
        if inner in (None, ""):
            continue
        if field not in FIELDS:
            raise ToolError(f"An attachment has no {key!r}; write {_EXAMPLE}.")
        if not isinstance(inner, str):
            raise ToolError(f"The {field} of an attachment is {inner!r}; it must be a text.")
        found[field] = inner
    return found
