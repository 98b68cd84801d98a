"""Puts values into a JSON file, takes them out, and keeps the rest: order, comments, indentation.

Editors accept comments and trailing commas in their settings. Python's reader does not, so for it
they are replaced by as many blanks. Why no library does this: see docs/design.md.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")
_SPACE = re.compile(r"\s*")
_CLOSED = re.compile(r"\s*}")
_DECODER = json.JSONDecoder()


def read(text: str) -> dict[str, Any]:
    """The object in the text; an empty one for an empty text.

    Raises:
        ValueError: it is no JSON object, even with comments and trailing commas allowed.
    """
    if not text.strip():
        return {}
    try:
        data = json.loads(_plain(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (a file's error, not a caller's)
    return data


def put(text: str, path: Sequence[str], value: object) -> str:
    """The text with this value at the path, in place of any that is there.

    Args:
        text: a text that `read` accepts.
        path: the keys that lead to the value. What is missing on the way is added, also in place
            of a `null`.
        value: what JSON can hold.

    Raises:
        ValueError: a key of the path stands twice in its object.
    """
    if not text.strip():
        return json.dumps(_nested(path, value), indent=2, ensure_ascii=False) + "\n"
    plain = _plain(text)
    indented = re.search(r'^([ \t]+)"', plain, re.MULTILINE)
    indent = indented[1] if indented else "  "
    start = plain.index("{")
    for depth, key in enumerate(path):
        inner = _nested(path[depth + 1 :], value)
        shown = _indented_json(inner, indent, depth + 1)
        member = _member(plain, start, key)
        if member is None:
            line = f"\n{indent * (depth + 1)}{json.dumps(key, ensure_ascii=False)}: {shown}"
            return _insert_first(text, plain, start, line, f"\n{indent * depth}")
        if depth == len(path) - 1 or plain[member.value] != "{":
            return text[: member.value] + shown + text[member.end :]
        start = member.value
    return text


def removed(text: str, path: Sequence[str]) -> str:
    """The text without what is at this path; comments beside it stay.

    Raises:
        ValueError: a key of the path stands twice in its object.
    """
    if not text.strip():
        return text
    plain = _plain(text)
    start = plain.index("{")
    member = None
    for key in path:
        if plain[start] != "{" or (member := _member(plain, start, key)) is None:
            return text
        around, start = start, member.value
    assert member is not None  # noqa: S101 (a path has a key)
    commas = _without_comments(text)
    first, end = member.key, member.end
    after = _skip_space(commas, end)
    if commas[after] == ",":
        end = after + 1
    elif (comma := commas.rfind(",", around, first)) >= 0 and not commas[comma + 1 : first].strip():
        # The last one: the comma before it goes too, and any comment between them stays.
        text = f"{text[:comma]}{text[comma + 1 :]}"
        first, end = first - 1, end - 1
    return _cut(text, around, first, end)


def _cut(text: str, around: int, first: int, end: int) -> str:
    """The text without this member of the object that begins at `around`, and its blanks."""
    blank = len(text[:first].rstrip())  # from here on only space before the member
    space = len(text[end:]) - len(text[end:].lstrip(" \t"))
    if blank == around + 1 and text[end + space] == "/":
        first = blank  # a comment that stood behind the brace until `put` came between
    else:
        end += space
        if text[end] == "\n" or blank == around + 1:
            first = blank
        elif text[end] == "}":
            first = len(text[:first].rstrip(" \t"))
    left = text[:first] + text[end:]
    closed = _CLOSED.match(left, around + 1)
    return left[: around + 1] + left[closed.end() - 1 :] if closed else left


def _nested(path: Sequence[str], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _plain(text: str) -> str:
    """The text with comments and trailing commas blanked out; the rest keeps its place."""
    return _TRAILING_COMMA.sub(_blank, _without_comments(text))


def _without_comments(text: str) -> str:
    return _COMMENT.sub(_blank, text)


def _blank(found: re.Match[str]) -> str:
    return found[1] or re.sub(r"[^\n]", " ", found[0])


class _Member(NamedTuple):
    """Where a member of an object begins, where its value does, and where that ends."""

    key: int
    value: int
    end: int


def _member(plain: str, start: int, wanted: str) -> _Member | None:
    """The member with this key in the object that begins at `start`."""
    found = [member for key, member in _members(plain, start) if key == wanted]
    if len(found) > 1:
        lines = [str(plain.count("\n", 0, member.key) + 1) for member in found]
        raise ValueError(f'"{wanted}" stands in it twice, on lines {" and ".join(lines)}')
    return found[0] if found else None


def _members(plain: str, start: int) -> Iterator[tuple[str, _Member]]:
    position = _skip_space(plain, start + 1)
    while plain[position] != "}":
        key, end = _DECODER.raw_decode(plain, position)
        value = _skip_space(plain, _skip_space(plain, end) + 1)  # behind the colon
        _, end = _DECODER.raw_decode(plain, value)
        yield key, _Member(position, value, end)
        position = _skip_space(plain, end)
        if plain[position] == ",":
            position = _skip_space(plain, position + 1)


def _skip_space(plain: str, position: int) -> int:
    found = _SPACE.match(plain, position)
    return found.end() if found else position


def _insert_first(text: str, plain: str, start: int, line: str, close: str) -> str:
    """The text with this line put first in the object that begins at `start`."""
    before, after = text[: start + 1], text[start + 1 :]
    if after.lstrip().startswith("}"):
        return f"{before}{line}{close}{after.lstrip()}"
    comma = "" if plain[_skip_space(plain, start + 1)] == "}" else ","  # nothing but a comment
    return f"{before}{line}{comma}{after}"


def _indented_json(value: object, indent: str, depth: int) -> str:
    shown = json.dumps(value, indent=indent, ensure_ascii=False)
    return shown.replace("\n", "\n" + indent * depth)
