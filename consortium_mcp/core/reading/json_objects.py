"""Finds the JSON object that a reply gives, valid or nearly so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.reading.markup import markup_of, without_thinking

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPAIRED = 200_000
"""The most characters of invalid JSON that is repaired: a megabyte takes json-repair a second."""
_MOST_STARTS = 8
"""The places where a reply's object is looked for."""


def json_object(text: str) -> dict[str, Any] | None:
    """The object that a reply gives, or `None`.

    It is the whole reply, its last block that holds one, or what stands between its first brace and
    its last. Thinking is left out. Nearly valid JSON is repaired: a comma too many, single quotes,
    an end that is cut off. `NaN` and `Infinity` are no JSON; they are repaired to text.
    """
    parts = list(_parts(text))
    for read in (_strictly, _repaired):
        for part in parts:
            found = read(part)
            if isinstance(found, dict):
                return _cleaned(found)
    return None


def _parts(text: str) -> Iterator[str]:
    markup = markup_of(without_thinking(text))
    shown = markup.text.strip()
    if shown.startswith("{"):
        yield shown
    blocks = [part for part in markup.code if part.is_block][-_MOST_STARTS:]
    for part in reversed(blocks):
        inner = markup.text[part.inner_start : part.inner_end].strip()
        if inner.startswith("{"):
            yield inner
    start = markup.bare.find("{")
    if start >= 0 and not shown.startswith("{"):
        yield markup.text[start:]


def _not_json(name: str) -> float:
    raise ValueError(name)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_not_json)


def _strictly(text: str) -> object:
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _repaired(text: str) -> object:
    if len(text) > MOST_REPAIRED:
        return None
    from json_repair import loads  # noqa: PLC0415 (rarely needed, and 40 ms to import)

    try:
        found = loads(text, skip_json_loads=True)
        return json.loads(json.dumps(found, allow_nan=False))
    except (ValueError, RecursionError):
        return None


_SURROGATE = re.compile("[\ud800-\udfff]")


def _cleaned(found: dict[str, Any]) -> dict[str, Any]:
    """The object without characters that cannot be written: JSON's escapes can hide surrogates."""
    written = json.dumps(found, ensure_ascii=False)
    return found if not _SURROGATE.search(written) else json.loads(clean(written))
