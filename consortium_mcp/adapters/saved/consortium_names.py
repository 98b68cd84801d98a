"""Reads the names of the saved consortiums for llm's list of models, at every `llm` command.

It imports almost nothing, so that it costs other commands nothing, and cannot make them fail. For
more than names, use `saved_consortiums`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from consortium_mcp.adapters.sqlite.read_only import connect_read_only

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 0.25


def saved_names(database: Path) -> list[str]:
    """The names of the saved consortiums, sorted; none if the file cannot be read now."""
    if not database.is_file():
        return []
    try:
        with closing(connect_read_only(database, BUSY_SECONDS)) as connection:
            rows = connection.execute("SELECT name FROM consortiums ORDER BY name").fetchall()
    except (sqlite3.Error, OSError):
        return []
    return [name for (name,) in rows]
