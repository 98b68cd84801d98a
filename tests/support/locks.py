"""Another program that holds a lock on the database, as an editor with unsaved changes does."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WRITES = ("BEGIN IMMEDIATE",)
"""Has begun to write; in WAL mode others can still read."""
EXCLUDES = ("BEGIN EXCLUSIVE",)
"""The same, asked for by its strongest name."""
HAS_IT_ALONE = ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "CREATE TABLE theirs (a)")
"""Lets nobody even read."""
WITHOUT_WAL = ("PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE")
"""The same without WAL."""
LOCKS: dict[str, Sequence[str]] = {
    "immediate": WRITES,
    "exclusive": EXCLUDES,
    "alone": HAS_IT_ALONE,
    "without WAL": WITHOUT_WAL,
}
_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for statement in sys.argv[2:]:
    connection.execute(statement)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(database: Path, statements: Sequence[str] = WRITES) -> Iterator[None]:
    """The database, locked by another process while the context lasts."""
    command = [sys.executable, "-c", _HOLD, str(database), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline().strip() == b"held"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait()
