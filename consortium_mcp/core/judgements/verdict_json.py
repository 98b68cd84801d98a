"""Finds verdicts that are JSON objects, valid or nearly so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.domain.errors import VerdictError

if TYPE_CHECKING:
    from consortium_mcp.core.reading.markup import Code, Markup

VERDICT_FIELDS = (
    "synthesis",
    "final_answer",
    "support",
    "groups",
    "dissent",
    "refinements",
    "needs_iteration",
    "confidence",
    "ranking",
)
"""What an arbiter writes."""
FIELDS = (*VERDICT_FIELDS, "finding", "reasons", "first_errors")
"""What arbiters and reviewers write; a reviewer's verdict is found in the same way."""
Fields = dict[str, Any]
_MAX_REPAIRED = 200_000
"""The most characters of invalid JSON that is repaired: a megabyte takes json-repair a second."""
KEY = re.compile(rf"""["']({"|".join(FIELDS)})["']\s*:""", re.IGNORECASE)


class VerdictObject(NamedTuple):
    """A JSON object in a reply, with the fields of a verdict."""

    start: int
    end: int
    fields: Fields


_LINE_WITH_BRACE = re.compile(r"^[^\S\n]{0,8}\{", re.MULTILINE)
_ESSENTIAL = {"synthesis", "ranking", "finding"}
"""One of these is in every verdict."""
MAX_OBJECTS = 20
"""The most verdicts that are looked at in one reply."""


def verdict_objects(markup: Markup, *, everywhere: bool) -> list[VerdictObject]:
    """The JSON objects that look like a verdict, in order.

    Args:
        markup: the reply.
        everywhere: look at the first brace, and at each block; else only where the reply begins
            and ends.
    """
    text = markup.text
    if everywhere:  # only the outermost: another one may be quoted in it
        starts = {text.find("{"), markup.bare.find("{")}
    else:
        lines = [found.end() - 1 for found in _LINE_WITH_BRACE.finditer(markup.bare)]
        starts = {*(lines[:1] if text.startswith("{") else ()), *lines[-1:]}
    places = [(start, len(text)) for start in starts if start >= 0]
    for block in markup.code[-MAX_OBJECTS:] if everywhere else edge_blocks(markup):
        inner = text[block.inner_start : block.inner_end]
        places.append((block.inner_end - len(inner.lstrip()), block.inner_end))
    found = []
    for start, end in sorted(places)[-MAX_OBJECTS:]:
        if text.startswith("{", start) and (decoded := decoded_verdict(text[start:end])):
            found.append(VerdictObject(start, start + decoded[1], decoded[0]))
    return found


def decoded_verdict(text: str) -> tuple[Fields, int] | None:
    """The verdict that a text begins with, and where it ends; raw line breaks are allowed."""
    if len(keys := KEY.findall(text[:_MAX_REPAIRED])) == 0:
        return None
    try:
        found, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        found, end = _repaired(text, keys)
    if isinstance(found, dict) and len(found) == 1:  # {"verdict": {…}}
        inner = next(iter(found.values()))
        found = inner if isinstance(inner, dict) else found
    if not isinstance(found, dict):
        return None
    fields = {str(key).lower(): value for key, value in found.items()}
    return (fields, end) if _ESSENTIAL & fields.keys() else None


def _without_repeated(pairs: list[tuple[str, Any]]) -> Fields:
    """The object; a key that it holds twice, as where one text is quoted, is refused."""
    found = dict(pairs)
    if len(found) < len(pairs) and any(key in FIELDS for key in found):
        raise VerdictError("a field of the JSON object stands twice; quote no fields")
    return found


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_without_repeated)


def _repaired(text: str, keys: list[str]) -> tuple[object, int]:
    """Nearly valid JSON, such as with a comma too many; `None` where it cannot be told."""
    end = text.rfind("}") + 1
    names = [key.lower() for key in keys]
    if not 0 < end <= _MAX_REPAIRED or len(set(names)) < len(names):
        return None, 0
    from json_repair import loads  # noqa: PLC0415 (rarely needed, and 40 ms to import)

    try:
        return loads(text[:end], skip_json_loads=True), end
    except (ValueError, RecursionError):
        return None, 0


def edge_blocks(markup: Markup) -> list[Code]:
    """The blocks that the reply begins or ends with."""
    ends = [part for part in markup.code[-1:] if not markup.text[part.end :].strip()]
    begins = [part for part in markup.code[:1] if part.start == 0 and part not in ends]
    return [part for part in (*begins, *ends) if part.is_block]
