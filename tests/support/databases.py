"""A database of a test's own, in a file or on a PostgreSQL server, and plain SQL on it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from consortium_mcp.adapters.journal.database import DatabaseFile
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.postgres.spelling import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For tests of what only a file has: locks, damage, older versions."""
ON_POSTGRES = pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)


@dataclass(frozen=True)
class DatabaseOfTest:
    """Where it is."""

    path: Path
    url: str | None = None
    """`None` for the file."""

    def store(self, **options: Any) -> Store:  # noqa: ANN401 (the keywords of `Store`)
        """A journal in it, as another process would open it."""
        return Store(self.path if self.url is None else PostgresDatabase(self.url), **options)

    def settings(self, settings: Settings) -> Settings:
        """These settings, with this database."""
        return replace(settings, database=self.path, database_url=self.url)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL as another program would; the rows."""
        if self.url is not None:
            with psycopg.connect(self.url) as there:
                cursor = there.execute(*spelled(sql, values))
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql, values).fetchall()


def path_of(store: Store) -> Path:
    """The file of a journal in a file."""
    assert isinstance(store.file, DatabaseFile)
    return store.file.path


def execute(settings: Settings, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run SQL on the database of these settings, as another program would."""
    return DatabaseOfTest(settings.database, settings.database_url).execute(sql, values)
