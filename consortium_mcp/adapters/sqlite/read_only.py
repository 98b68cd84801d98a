"""Reads the database without touching it or any file beside it, and without creating one.

An ordinary connection, even one with `mode=ro`, makes the files `-wal` and `-shm` and leaves them
behind. Imports nothing else, because every `llm` command reads with it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path


def connect_read_only(path: Path, seconds: float) -> sqlite3.Connection:
    """A connection that writes nothing, not even locks into `-shm`.

    Args:
        path: the database.
        seconds: how long to wait while it is locked.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    log = Path(f"{path}-wal")
    # Without a log beside it, the file alone is the whole database: writers leave it as it is until
    # they have a log. SQLite then needs neither locks nor shared memory.
    in_use = (log.exists() and log.stat().st_size > 0) or Path(f"{path}-journal").exists()
    how = "readonly_shm=1" if in_use else "immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro&{how}"
    return sqlite3.connect(
        uri, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False
    )
