"""The journal's SQL as PostgreSQL spells it.

It is written once, as SQLite spells it. What both understand is written so; here is the rest:

- `?` stands for a value; where the value is a time of the database's clock, for that clock.
- `json_extract(column, '$.a.b')` is a number inside of a JSON text.
- `json_group_array` and `json_object` have other names.
- `/* FOR UPDATE */` and `/* FOR SHARE */` lock the rows that are read. SQLite has no such locks and
  needs none, since it has one writer at a time; to it, they are comments.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.postgres.clock import NOW, DatabaseTime

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRACT = re.compile(r"json_extract\((\w+), '\$\.([\w.]+)'\)")
_LOCK = re.compile(r"/\* (FOR (?:UPDATE|SHARE)) \*/")
_NAMES = {"json_group_array(": "json_agg(", "json_object(": "json_build_object("}
_NUL = "�"
"""Stands for the character NUL, which PostgreSQL's texts cannot hold."""


def spelled(sql: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """A statement and its values for psycopg."""
    times = tuple(at for at, value in enumerate(values) if isinstance(value, DatabaseTime))
    return _spelled(sql, times), [_value(each) for each in values]


@lru_cache(maxsize=1024)
def _spelled(sql: str, times: tuple[int, ...]) -> str:
    for name, here in _NAMES.items():
        sql = sql.replace(name, here)
    sql = _LOCK.sub(r"\1", _EXTRACT.sub(_number, sql.replace("%", "%%")))
    first, *rest = sql.split("?")
    marks = (f"({NOW} + %s)" if at in times else "%s" for at in range(len(rest)))
    return first + "".join(mark + part for mark, part in zip(marks, rest, strict=True))


def _number(found: re.Match[str]) -> str:
    # A NUL in any text of the document would make PostgreSQL refuse all of it. What takes its place
    # must be a code as well, for where what looks like one is a backslash and letters.
    document = rf"CAST(replace({found[1]}, '\u0000', '\ufffd') AS json)"
    return f"CAST({document} #>> '{{{found[2].replace('.', ',')}}}' AS double precision)"


def _value(value: Any) -> Any:  # noqa: ANN401 (what SQL takes)
    if isinstance(value, DatabaseTime):
        return value.offset
    if isinstance(value, str):
        return value.replace("\0", _NUL)
    return value
