"""Puts a value into a JSON file and keeps the rest: its order, comments and indentation.

Editors accept comments and trailing commas in their settings. Python's reader does not, so for it
they are replaced by as many blanks.
"""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def read(text: str) -> dict[str, Any]:
    """The object in the text; an empty one for an empty text.

    Raises:
        ValueError: it is no JSON object, even with comments and trailing commas allowed.
    """
    if not text.strip():
        return {}
    data = json.loads(_blanked(text))
    if not isinstance(data, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (a file's error, not a caller's)
    return data


def edited(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with this entry in the section, in place of any entry of that name.

    Args:
        text: a text that `read` accepts.
        section: the key of an object in the top-level object; added if missing.
        name: the entry's name.
        entry: its value.
    """
    if not text.strip():
        return json.dumps({section: {name: entry}}, indent=2, ensure_ascii=False) + "\n"
    plain = _blanked(text)
    indented = re.search(r'^([ \t]+)"', plain, re.MULTILINE)
    indent = indented[1] if indented else "  "
    root = plain.index("{")
    section_span = _value_span(plain, root, section)
    if section_span is None:
        line = f"\n{indent}{json.dumps(section)}: {_indented_json({name: entry}, indent, 1)}"
        return _insert_first(text, plain, root, line, "\n")
    entry_span = _value_span(plain, section_span[0], name)
    shown = _indented_json(entry, indent, 2)
    if entry_span is None:
        line = f"\n{indent * 2}{json.dumps(name)}: {shown}"
        return _insert_first(text, plain, section_span[0], line, f"\n{indent}")
    return text[: entry_span[0]] + shown + text[entry_span[1] :]


def _blanked(text: str) -> str:
    """The text with comments and trailing commas blanked out; the rest keeps its place."""

    def blank(found: re.Match[str]) -> str:
        return found[1] or re.sub(r"[^\n]", " ", found[0])

    return _TRAILING_COMMA.sub(blank, _COMMENT.sub(blank, text))


def _value_span(plain: str, start: int, wanted: str) -> tuple[int, int] | None:
    """Start and end of this key's value in the object that begins at `start`."""
    position = _skip_space(plain, start + 1)
    while plain[position] != "}":
        key, position = _DECODER.raw_decode(plain, position)
        position = _skip_space(plain, _skip_space(plain, position) + 1)  # the colon
        _, end = _DECODER.raw_decode(plain, position)
        if key == wanted:
            return position, end
        position = _skip_space(plain, end)
        if plain[position] == ",":
            position = _skip_space(plain, position + 1)
    return None


def _skip_space(plain: str, position: int) -> int:
    found = _SPACE.match(plain, position)
    return found.end() if found else position


def _insert_first(text: str, plain: str, start: int, line: str, close: str) -> str:
    """The text with this line put first in the object that begins at `start`."""
    before, after = text[: start + 1], text[start + 1 :]
    if plain[_skip_space(plain, start + 1)] == "}":
        return f"{before}{line}{close}{after.lstrip()}"
    return f"{before}{line},{after}"


def _indented_json(value: object, indent: str, depth: int) -> str:
    shown = json.dumps(value, indent=indent, ensure_ascii=False)
    return shown.replace("\n", "\n" + indent * depth)
