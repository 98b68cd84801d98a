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
_SHOWN = 100
"""Characters of what was given that an error repeats."""
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
        shown = repr(value)[:_SHOWN]
        raise ToolError(f"An attachment is {shown}; write its path or URL, or {_EXAMPLE}.")
    found: dict[str, Any] = {}
    for key, inner in value.items():
        word = str(key).strip().lower()
        field = _MEANT.get(word, word)
        if inner in (None, ""):
            continue
        if field not in FIELDS:
            raise ToolError(f"An attachment has no {str(key)[:_SHOWN]!r}; write {_EXAMPLE}.")
        if not isinstance(inner, str):
            shown = repr(inner)[:_SHOWN]
            raise ToolError(f"The {field} of an attachment is {shown}; it must be a text.")
        if "/" in inner or field not in found:  # MCP's own: {"type": "image", "mimeType": …}
            found[field] = inner
    return found
