"""Reads the ids of the newest runs, quickly: for a shell that completes them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from consortium_mcp.adapters.sqlite.read_only import connect_read_only

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 0.25
_NEWEST = (
    "SELECT run_id, substr(prompt, 1, 200) FROM runs WHERE parent_run_id IS NULL"
    " ORDER BY id DESC LIMIT ?"
)


def newest_runs(database: Path, most: int) -> list[tuple[str, str]]:
    """Ids and the beginnings of the prompts, newest first; none if the file cannot be read now."""
    if not database.is_file():
        return []
    try:
        with closing(connect_read_only(database, BUSY_SECONDS)) as connection:
            return connection.execute(_NEWEST, [most]).fetchall()
    except (sqlite3.Error, OSError):
        return []
