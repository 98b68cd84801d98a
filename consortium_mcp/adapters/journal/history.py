"""Looking back over many runs: pages, search, pruning."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.adapters.journal.store import LIVE_STATUS, Store
from consortium_mcp.core.domain.report import RunReport
from consortium_mcp.core.domain.run_summary import RunQuery, RunSummary
from consortium_mcp.core.domain.text import clean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from consortium_mcp.core.domain.run_record import RunRecord

PRUNED_AT_ONCE = 200
"""Runs deleted in one transaction: other processes get their turn in between."""


@dataclass(frozen=True)
class RunCounts:
    """How much there is of runs older than some day."""

    runs: int
    exchanges: int


class History:
    """Runs in bulk. Errors are those of `database.DatabaseFile`.

    Args:
        store: the journal.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, query: RunQuery) -> tuple[list[RunSummary], str | None]:
        """Runs that somebody asked for, newest first, a page at a time; see `nested` for others.

        Returns:
            The runs, and the cursor of the next page, `None` after the last.
        """
        source, key, where, values = "runs", "runs.id", ["runs.parent_run_id IS NULL"], []
        if query.words is not None and query.words.strip():
            words = _fts(query.words)
            if not words:  # nothing but punctuation is in no index
                return [], None
            source, key = "runs_fts JOIN runs ON runs.id = runs_fts.rowid", "runs_fts.rowid"
            where.append("runs_fts MATCH ?")
            values.append(words)
        for condition, value in self._filters(query, key):
            where.append(condition)
            values += value
        rows = await self._store.file.read(
            f"SELECT {_SUMMARY} FROM {source} WHERE {' AND '.join(where)}"  # noqa: S608 (columns are ours)
            f" ORDER BY {key} DESC LIMIT ?",
            [self._store.stale, *values, query.limit + 1],
        )
        runs = [RunSummary.of_row(dict(row)) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return runs, str(rows[query.limit - 1]["key"]) if more else None

    def _filters(self, query: RunQuery, key: str) -> Iterator[tuple[str, list[Any]]]:
        """Conditions with their values."""
        if query.status is not None:
            yield _has_status(query.status, self._store.stale)
        if query.consortium is not None:
            yield "runs.consortium = ?", [query.consortium]
        if query.cursor is not None:
            yield f"{key} < ?", [int(query.cursor)]

    async def nested(self, run_id: str) -> list[RunSummary]:
        """The runs that answer calls of this one, and those that answer theirs, as they began."""
        rows = await self._store.file.read(
            "WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_run_id = ?"  # noqa: S608 (columns are ours)
            " UNION SELECT runs.run_id FROM runs JOIN below ON runs.parent_run_id = below.run_id)"
            f" SELECT {_SUMMARY} FROM runs WHERE run_id IN below ORDER BY id",
            [run_id, self._store.stale],
        )
        return [RunSummary.of_row(dict(row)) for row in rows]

    async def run_ids(self) -> AsyncIterator[str]:
        """Every run there is, oldest first."""
        last = 0
        while rows := await self._store.file.read(
            "SELECT id, run_id FROM runs WHERE id > ? ORDER BY id LIMIT 100", [last]
        ):
            for row in rows:
                yield row["run_id"]
            last = rows[-1]["id"]

    async def reports(self) -> AsyncIterator[RunReport]:
        """Every report that this version can read, oldest first, each as last saved."""
        last = 0
        while rows := await self._store.file.read(
            "SELECT id, report FROM runs WHERE id > ? ORDER BY id LIMIT 100", [last]
        ):
            for row in rows:
                with suppress(ValidationError):  # of an early form
                    yield RunReport.model_validate_json(row["report"])
            last = rows[-1]["id"]

    async def record(self, run_id: str) -> RunRecord:
        """See `Store.record`."""
        return await self._store.record(run_id)

    async def older_than(self, before: str) -> RunCounts:
        """How many runs, no longer working, began before this time (ISO 8601, UTC)."""
        rows = await self._store.file.read(
            f"SELECT count(*) AS runs, total((SELECT count(*) FROM exchanges"  # noqa: S608
            f" WHERE exchanges.run_id = runs.run_id)) AS exchanges FROM runs WHERE {_PRUNABLE}",
            [before, self._store.stale],
        )
        return RunCounts(runs=rows[0]["runs"], exchanges=int(rows[0]["exchanges"]))

    async def prune(self, before: str) -> RunCounts:
        """Delete those runs and all that belongs to them; what was deleted."""
        total = RunCounts(0, 0)
        while (gone := await self._prune_some(before)).runs:
            total = RunCounts(total.runs + gone.runs, total.exchanges + gone.exchanges)
        return total

    async def _prune_some(self, before: str) -> RunCounts:
        stale = self._store.stale

        def write(db: sqlite3.Connection) -> RunCounts:
            rows = db.execute(
                f"SELECT run_id FROM runs WHERE {_PRUNABLE} ORDER BY id LIMIT {PRUNED_AT_ONCE}",  # noqa: S608
                [before, stale],
            ).fetchall()
            run_ids = [row["run_id"] for row in rows]
            among = f"WHERE run_id IN ({', '.join('?' for _ in run_ids)})"
            db.execute(f"DELETE FROM iterations {among}", run_ids)  # noqa: S608
            exchanges = db.execute(f"DELETE FROM exchanges {among}", run_ids).rowcount  # noqa: S608
            db.execute(f"DELETE FROM runs {among}", run_ids)  # noqa: S608
            return RunCounts(len(run_ids), exchanges)

        return await self._store.file.write(write)


@asynccontextmanager
async def opened_history(database: Path) -> AsyncIterator[History]:
    """The journal of this database, for a command."""
    store = Store(database)
    try:
        yield History(store)
    finally:
        await store.close()


# With the time before which a heartbeat is stale as its parameter.
_SUMMARY = (
    f"runs.id AS key, runs.run_id, {LIVE_STATUS} AS status, consortium, strategy, runs.prompt,"
    " runs.synthesis, final_answer, confidence, agreement, created_at, ended_at, parent_run_id"
)
_PRUNABLE = f"created_at < ? AND {LIVE_STATUS} != 'working'"


def _has_status(status: str, stale: float) -> tuple[str, list[Any]]:
    """A condition that an index serves: `LIVE_STATUS` compared would read every row."""
    if status == "working":
        return "runs.status = 'working' AND runs.heartbeat >= ?", [stale]
    if status in {"interrupted", "cancelled"}:
        alive = "(runs.status = 'working' AND coalesce(runs.heartbeat, 0) >= ?)"
        wanted = "NOT runs.cancel_requested"
        among = "'interrupted', 'working'"
        if status == "cancelled":  # also those whose process died before it could
            wanted = "(runs.status = 'cancelled' OR runs.cancel_requested)"
            among += ", 'cancelled'"
        return f"runs.status IN ({among}) AND {wanted} AND NOT {alive}", [stale]
    return "runs.status = ?", [status]


def _fts(query: str) -> str:
    """The user's words as an FTS5 query: each quoted, so that none is read as syntax."""
    words = clean(query).replace('"', " ").split()
    return " ".join(f'"{word}"' for word in words if any(char.isalnum() for char in word))
