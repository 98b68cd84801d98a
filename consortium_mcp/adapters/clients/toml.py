"""Puts values into a TOML file, takes them out, and leaves the rest as it is, comments included."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Item, Table, Whitespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tomlkit.container import Container
    from tomlkit.items import Key

    Parent = Container | Table | InlineTable


def read(text: str) -> dict[str, Any]:
    """The content of the text.

    Raises:
        ValueError: it is not TOML.
    """
    return tomllib.loads(text)  # not tomlkit: what that writes is read back by another


def put(text: str, path: Sequence[str], value: object) -> str:
    """The text with this value at the path, in place of any that is there.

    Args:
        text: a text that `read` accepts.
        path: the keys that lead to the value; the first may be missing.
        value: a string, or a list or dictionary of such.
    """
    *way, last = path
    if isinstance(value, dict):
        text = removed(text, path)
    document = tomlkit.parse(text)
    tails = [_cut_tail(end) for end in _ends(document, way)]
    table: Any = document
    for key in way:
        table = table.setdefault(key, tomlkit.table(is_super_table=True))
    table[last] = value if len(path) <= _SERVER else _inline(value)
    for end, tail in zip(_ends(document, way), tails, strict=False):
        end.value.body.extend((None, each) for each in tail)
    return document.as_string() if text.strip() else document.as_string().lstrip("\n")


_SERVER = 2
"""The length of a server's path. A table inside it is put on one line, which fits any layout."""


def _inline(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline


def removed(text: str, path: Sequence[str]) -> str:
    """The text without what is at this path; comments that follow it stay."""
    document = tomlkit.parse(text)
    for parent, key, item in list(_places(document, path)):
        if isinstance(parent, InlineTable):
            del parent[path[-1]]
            continue
        first = _first_line(key, item)
        first.trivia.indent = _FROM + first.trivia.indent
        if end := _last_table(item):
            tail = _cut_tail(end)
            end.value.body.extend((None, each) for each in (Whitespace(_TO), *tail))
        else:
            item.trivia.trail += _TO
    return _MARKED.sub("", document.as_string())


_FROM, _TO = "\0<", "\0>\n"
"""Marks in a text of what is cut out of it; TOML allows no such character. The second ends a line,
else tomlkit would."""
_MARKED = re.compile(f"(?<=\n\n){_FROM}.*?{_TO}\n|{_FROM}.*?{_TO}", re.DOTALL)
"""Of the blank lines before and after, one goes too."""


def table(section: str, name: str, entry: dict[str, Any]) -> str:
    """The entry as a table of its own."""
    return put("", (section, name), entry)


def _places(parent: Parent, path: Sequence[str]) -> Iterator[tuple[Parent, Key, Item]]:
    """Every place where a value or a part of a table of this path is: its parent, key and item.

    A table may be written in several parts, with others between them.
    """
    if not path:
        return
    container = parent.value if isinstance(parent, Table | InlineTable) else parent
    for key, item in container.body:
        if key is None or key.key != path[0]:
            continue
        if len(path) == 1:
            yield parent, key, item
        elif isinstance(item, Table | InlineTable):
            yield from _places(item, path[1:])


def _first_line(key: Key, item: Item) -> Item:
    """The part of a table that is written first: its head, or if it has none, its first value."""
    if isinstance(item, AoT):
        return item.body[0]
    if not isinstance(item, Table) or not (key.is_dotted() or item.is_super_table()):
        return item
    return next(_first_line(inner, each) for inner, each in item.value.body if inner is not None)


def _ends(document: Container, path: Sequence[str]) -> list[Table]:
    """The last table in each part of this one."""
    return [end for _, _, item in _places(document, path) if (end := _last_table(item))]


def _last_table(item: Item) -> Table | None:
    """The innermost table at the end of this one: what follows it in the file is read into it."""
    if isinstance(item, AoT):
        return _last_table(item.body[-1])
    if not isinstance(item, Table):
        return None
    last = next((each for key, each in reversed(item.value.body) if key is not None), None)
    return (_last_table(last) if last is not None else None) or item


def _cut_tail(table: Table) -> list[Item]:
    """Take the blank lines and comments at the table's end off; they may be about what follows."""
    body = table.value.body
    first = len(body)
    while first and body[first - 1][0] is None:
        first -= 1
    tail = [item for _, item in body[first:]]
    del body[first:]
    return tail
