"""Finds the JSON object that a reply gives: valid, cut off, or nearly valid."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.reading.markup import markup_of, without_thinking

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPAIRED = 200_000
"""The most characters of invalid JSON that is repaired: a megabyte takes json-repair a second."""
_MOST_BLOCKS = 8
"""The blocks, from the last, in which a reply's object is looked for."""
_MOST_OPEN = 100
"""Levels of a text that is cut off."""


class JsonObject(NamedTuple):
    """An object that a reply gives."""

    value: dict[str, Any]
    open_at: tuple[str | int, ...] | None = None
    """Where the reply was cut off, the path of the innermost object or list that has no end; those
    that it is in have none either. `None` for a complete reply. What was cut short is left out."""


def json_object(text: str) -> JsonObject | None:
    """The object that a reply gives, or `None`.

    It is the whole reply, its last block that holds one, or what stands from its first brace on.
    Thinking is left out. Nearly valid JSON is repaired: a comma too many, single quotes, comments.
    Nothing raises, and `NaN` and `Infinity` are no JSON.
    """
    parts = list(_parts(text))
    for read in (_strictly, _cut_off, _repaired):
        for part in parts:
            try:
                found = read(part)
            except (ValueError, RecursionError):
                continue
            if found is not None and isinstance(found.value, dict):
                return found._replace(value=_cleaned(found.value))
    return None


def _parts(text: str) -> Iterator[str]:
    markup = markup_of(without_thinking(text))
    shown = markup.text.strip()
    if shown.startswith("{"):
        yield shown
    blocks = [part for part in markup.code if part.is_block]
    for part in reversed(blocks[-_MOST_BLOCKS:]):
        inner = markup.text[part.inner_start : part.inner_end].strip()
        if inner.startswith("{"):
            yield inner
    start = markup.bare.find("{")
    if start >= 0 and not shown.startswith("{"):
        yield markup.text[start:]


def _not_json(name: str) -> float:
    raise ValueError(name)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_not_json)


def _strictly(text: str) -> JsonObject | None:
    return JsonObject(_DECODER.raw_decode(text)[0])


_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++)', re.DOTALL)


def _cut_off(text: str) -> JsonObject | None:
    """The object of a text that ends before it does, up to its last complete value."""
    closers: list[str] = []
    steps: list[str | int] = []
    end, closing = 0, ""  # up to where it is complete, and what then closes it
    open_at: tuple[str | int, ...] = ()
    place, before = 0, ""
    while found := _TOKEN.match(text, place):
        place, mark = found.end(), found[1]
        if mark in "{[":
            closers.append("}" if mark == "{" else "]")
            steps.append("" if mark == "{" else 0)
        elif mark in "}]":
            if closers.pop() != mark:
                return None
            steps.pop()
        elif mark == "," and isinstance(steps[-1], int):
            steps[-1] += 1
        elif closers[-1] == "}" and before in {"{", ","}:
            steps[-1] = json.loads(mark, strict=False)
        if len(closers) > _MOST_OPEN or not closers:
            return None  # nested too deeply, or complete, and then something else is wrong with it
        is_key = closers[-1] == "}" and before in {"{", ","} and mark not in "{}[]"
        if mark not in ",:" and not is_key and (mark[-1] in '"{}[]' or place < len(text)):
            end, closing, open_at = place, "".join(reversed(closers)), tuple(steps[:-1])
        before = mark
    return JsonObject(_DECODER.decode(text[:end] + closing), open_at)


def _repaired(text: str) -> JsonObject | None:
    if len(text) > MOST_REPAIRED:
        return None
    from json_repair import loads  # noqa: PLC0415 (rarely needed, and 40 ms to import)

    found = loads(text, skip_json_loads=True)
    return JsonObject(json.loads(json.dumps(found, allow_nan=False)))


_SURROGATE = re.compile("[\ud800-\udfff]")


def _cleaned(found: dict[str, Any]) -> dict[str, Any]:
    """The object without characters that cannot be written: JSON's escapes can hide surrogates."""
    written = json.dumps(found, ensure_ascii=False)
    if not _SURROGATE.search(written):
        return found
    cleaned: dict[str, Any] = json.loads(clean(written))
    return cleaned
