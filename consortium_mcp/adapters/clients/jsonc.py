"""A value put into a JSON file whose other characters stay: its order, comments and indentation.

Editors take comments and commas before a closing bracket in their settings; Python's reader does
not, so they are blanked out for it, in place.
"""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def read(text: str) -> dict[str, Any]:
    """What the text says; an empty one says nothing.

    Raises:
        ValueError: it is no JSON object, comments and last commas allowed.
    """
    if not text.strip():
        return {}
    data = json.loads(_blanked(text))
    if not isinstance(data, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (a file's error, not a caller's)
    return data


def edited(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with this entry in the section, instead of the one of this name that it has.

    Args:
        text: what `read` reads.
        section: an object of the whole, made where there is none.
        name: the entry's.
        entry: its value.
    """
    if not text.strip():
        return json.dumps({section: {name: entry}}, indent=2, ensure_ascii=False) + "\n"
    plain = _blanked(text)
    indented = re.search(r'^([ \t]+)"', plain, re.MULTILINE)
    indent = indented[1] if indented else "  "
    whole = plain.index("{")
    there = _value_of(plain, whole, section)
    if there is None:
        line = f"\n{indent}{json.dumps(section)}: {_shown({name: entry}, indent, 1)}"
        return _with_first(text, plain, whole, line, "\n")
    found = _value_of(plain, there[0], name)
    shown = _shown(entry, indent, 2)
    if found is None:
        line = f"\n{indent * 2}{json.dumps(name)}: {shown}"
        return _with_first(text, plain, there[0], line, f"\n{indent}")
    return text[: found[0]] + shown + text[found[1] :]


def _blanked(text: str) -> str:
    """The text with blanks for comments and last commas; every other character in its place."""

    def blank(found: re.Match[str]) -> str:
        return found[1] or re.sub(r"[^\n]", " ", found[0])

    return _LAST_COMMA.sub(blank, _COMMENT.sub(blank, text))


def _value_of(plain: str, start: int, wanted: str) -> tuple[int, int] | None:
    """Where the value of this key stands in the object that begins at `start`."""
    place = _skipped(plain, start + 1)
    while plain[place] != "}":
        key, place = _DECODER.raw_decode(plain, place)
        place = _skipped(plain, _skipped(plain, place) + 1)  # the colon
        _, end = _DECODER.raw_decode(plain, place)
        if key == wanted:
            return place, end
        place = _skipped(plain, end)
        if plain[place] == ",":
            place = _skipped(plain, place + 1)
    return None


def _skipped(plain: str, place: int) -> int:
    found = _SPACE.match(plain, place)
    return found.end() if found else place


def _with_first(text: str, plain: str, start: int, line: str, close: str) -> str:
    """The text with this line as the first of the object that begins at `start`."""
    before, after = text[: start + 1], text[start + 1 :]
    if plain[_skipped(plain, start + 1)] == "}":
        return f"{before}{line}{close}{after.lstrip()}"
    return f"{before}{line},{after}"


def _shown(value: object, indent: str, depth: int) -> str:
    shown = json.dumps(value, indent=indent, ensure_ascii=False)
    return shown.replace("\n", "\n" + indent * depth)
