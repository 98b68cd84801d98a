"""Brings procrastinate's tables up to date, by the files that come with it.

It keeps no list of what has been applied, so we do. Replicas of two versions work side by side:
what procrastinate calls a `post` migration may break versions of it that are older than the one
before, which `pyproject.toml` does not allow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from procrastinate.schema import SchemaManager

from consortium_mcp.adapters.postgres.failures import VARIABLE
from consortium_mcp.adapters.postgres.migrations import LOCK
from consortium_mcp.core.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    import psycopg


def bring_up_to_date(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Make the tables, or take the steps that are missing.

    Args:
        connection: one that is in no transaction, to a database whose journal is up to date.
        name: the database, as its users may see it.

    Raises:
        StoreUnavailable: another program's procrastinate is there.
        psycopg.Error: it cannot be read or changed.
    """
    if not _pending(connection, name):
        return
    # A step may use what the step before has added to an enum, so each is a transaction.
    connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        pending = _pending(connection, name)  # another process may have been at it
        if len(pending) == len(_steps()):
            with connection.transaction():
                connection.execute(SchemaManager.get_schema())
                for step in pending:
                    _note(connection, step)
            return
        for step in pending:
            with connection.transaction():
                connection.execute(_steps()[step].read_bytes())
                _note(connection, step)
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _steps() -> dict[str, Path]:
    """The file of every step, in their order."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return {each.name: each for each in files}


def _pending(connection: psycopg.Connection[tuple[object, ...]], name: str) -> list[str]:
    found = connection.execute("SELECT name FROM queue_migrations").fetchall()
    done = {str(row[0]) for row in found}
    there = connection.execute("SELECT to_regclass('procrastinate_jobs') IS NOT NULL").fetchone()
    if there and there[0] and not done:
        raise StoreUnavailable(
            f"{name} has the queue of another program (the table procrastinate_jobs), so nothing "
            f"was written to it. Set {VARIABLE} to a database of its own."
        )
    return [step for step in _steps() if step not in done]


def _note(connection: psycopg.Connection[tuple[object, ...]], step: str) -> None:
    connection.execute("INSERT INTO queue_migrations (name) VALUES (%s)", [step])
