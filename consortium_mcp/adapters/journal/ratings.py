"""What people and tests said of runs: every rating is kept, and a run's newest one counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.core.reports.rating import Rating

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Connection, Row
    from consortium_mcp.adapters.journal.store import Store

RATINGS_OF_RUN = (
    "coalesce((SELECT json_group_array(json_object('correct', correct, 'answer', answer,"
    " 'note', note, 'by', given_by, 'at', created_at)) FROM"
    " (SELECT * FROM ratings WHERE ratings.run_id = runs.run_id ORDER BY ratings.id) AS given),"
    " '[]')"
)
"""A JSON array, oldest first, in a query of `runs`."""


def ratings_of(row: Row) -> list[Rating]:
    """The ratings in a row of such a query."""
    return [Rating.model_validate(each) for each in json.loads(row["ratings"])]


_INSERT = (
    "INSERT INTO ratings (run_id, correct, answer, note, given_by, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_NEWEST = (
    "SELECT run_id, correct, answer, note, given_by AS by, created_at AS at FROM ratings"
    " WHERE id IN (SELECT max(id) FROM ratings GROUP BY run_id) ORDER BY id"
)


class Ratings:
    """Writes and reads them.

    Args:
        store: the database that holds the runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, run_id: str, rating: Rating) -> None:
        """Keep one more rating of this run."""

        def write(db: Connection) -> None:
            insert_rating(db, run_id, rating)

        await self._store.file.write(write)

    async def newest(self) -> dict[str, Rating]:
        """The rating that counts of each rated run, the longest unchanged first."""
        rows = [dict(row) for row in await self._store.file.read(_NEWEST, [])]
        return {row.pop("run_id"): Rating.model_validate(row) for row in rows}

    async def count(self) -> int:
        """How many runs are rated."""
        rows = await self._store.file.read("SELECT count(DISTINCT run_id) AS n FROM ratings", [])
        return int(rows[0]["n"])


def insert_rating(db: Connection, run_id: str, rating: Rating) -> None:
    """Insert a rating's row."""
    values = [run_id, rating.correct, rating.answer, rating.note, rating.by, rating.at]
    db.execute(_INSERT, values)
