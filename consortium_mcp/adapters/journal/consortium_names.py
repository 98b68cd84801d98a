"""Reads the names of the saved consortiums for llm's list of models, at every `llm` command.

It uses a plain read-only connection and imports nothing else, so that it costs other commands
nothing and cannot make them fail. For more than names, use `saved_consortiums`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 0.25


def saved_names(database: Path) -> list[str]:
    """The names, sorted; none if the file cannot be read now."""
    if not database.exists():
        return []
    uri = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            rows = connection.execute("SELECT name FROM consortiums ORDER BY name").fetchall()
    except sqlite3.Error:
        return []
    return [name for (name,) in rows]
