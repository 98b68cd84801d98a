"""Many runs at a time: pages, search, pruning."""

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

PRUNE_BATCH_RUNS = 200
"""Runs deleted in one transaction; between two of them other processes can write."""


@dataclass(frozen=True)
class RunCounts:
    """A number of runs, and the number of their exchanges."""

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
        """One page of the runs that somebody asked for, newest first; see `nested` for the others.

        Returns:
            The runs, and the cursor of the next page; `None` after the last page.
        """
        source, key, where, values = "runs", "runs.id", ["runs.parent_run_id IS NULL"], []
        if query.words is not None and query.words.strip():
            words = _fts_query(query.words)
            if not words:  # only punctuation, which no index holds
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
            [self._store.stale_before, *values, query.limit + 1],
        )
        runs = [RunSummary.of_row(dict(row)) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return runs, str(rows[query.limit - 1]["key"]) if more else None

    def _filters(self, query: RunQuery, key: str) -> Iterator[tuple[str, list[Any]]]:
        """SQL conditions with their values."""
        if query.status is not None:
            yield _has_status(query.status, self._store.stale_before)
        if query.consortium is not None:
            yield "runs.consortium = ?", [query.consortium]
        if query.cursor is not None:
            yield f"{key} < ?", [int(query.cursor)]

    async def nested(self, run_id: str) -> list[RunSummary]:
        """The runs that answer calls of this one, and those that answer theirs, oldest first."""
        rows = await self._store.file.read(
            "WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_run_id = ?"  # noqa: S608 (columns are ours)
            " UNION SELECT runs.run_id FROM runs JOIN below ON runs.parent_run_id = below.run_id)"
            f" SELECT {_SUMMARY} FROM runs WHERE run_id IN below ORDER BY id",
            [run_id, self._store.stale_before],
        )
        return [RunSummary.of_row(dict(row)) for row in rows]

    async def run_ids(self) -> AsyncIterator[str]:
        """The id of every run, oldest first."""
        last = 0
        while rows := await self._store.file.read(
            "SELECT id, run_id FROM runs WHERE id > ? ORDER BY id LIMIT 100", [last]
        ):
            for row in rows:
                yield row["run_id"]
            last = rows[-1]["id"]

    async def reports(self) -> AsyncIterator[RunReport]:
        """Every report that this version can read, as last saved, oldest first."""
        last = 0
        while rows := await self._store.file.read(
            "SELECT id, report FROM runs WHERE id > ? ORDER BY id LIMIT 100", [last]
        ):
            for row in rows:
                with suppress(ValidationError):  # recorded in an early form
                    yield RunReport.model_validate_json(row["report"])
            last = rows[-1]["id"]

    async def record(self, run_id: str) -> RunRecord:
        """See `Store.record`."""
        return await self._store.record(run_id)

    async def older_than(self, before: str) -> RunCounts:
        """Count the runs, no longer working, that began before this time (ISO 8601, UTC)."""
        rows = await self._store.file.read(
            f"SELECT count(*) AS runs, total((SELECT count(*) FROM exchanges"  # noqa: S608
            f" WHERE exchanges.run_id = runs.run_id)) AS exchanges FROM runs WHERE {_PRUNABLE}",
            [before, self._store.stale_before],
        )
        return RunCounts(runs=rows[0]["runs"], exchanges=int(rows[0]["exchanges"]))

    async def prune(self, before: str) -> RunCounts:
        """Delete those runs and all that belongs to them, and count what was deleted."""
        total = RunCounts(0, 0)
        while (batch := await self._prune_batch(before)).runs:
            total = RunCounts(total.runs + batch.runs, total.exchanges + batch.exchanges)
        return total

    async def _prune_batch(self, before: str) -> RunCounts:
        stale_before = self._store.stale_before

        def write(db: sqlite3.Connection) -> RunCounts:
            rows = db.execute(
                f"SELECT run_id FROM runs WHERE {_PRUNABLE} ORDER BY id LIMIT {PRUNE_BATCH_RUNS}",  # noqa: S608
                [before, stale_before],
            ).fetchall()
            run_ids = [row["run_id"] for row in rows]
            in_batch = f"WHERE run_id IN ({', '.join('?' for _ in run_ids)})"
            db.execute(f"DELETE FROM iterations {in_batch}", run_ids)  # noqa: S608
            exchanges = db.execute(f"DELETE FROM exchanges {in_batch}", run_ids).rowcount  # noqa: S608
            db.execute(f"DELETE FROM runs {in_batch}", run_ids)  # noqa: S608
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


# Its parameter is the time before which a heartbeat is stale.
_SUMMARY = (
    f"runs.id AS key, runs.run_id, {LIVE_STATUS} AS status, consortium, strategy, runs.prompt,"
    " runs.synthesis, final_answer, confidence, agreement, created_at, ended_at, parent_run_id"
)
_PRUNABLE = f"created_at < ? AND {LIVE_STATUS} != 'working'"


def _has_status(status: str, stale_before: float) -> tuple[str, list[Any]]:
    """A condition that can use an index; one on `LIVE_STATUS` would read every row."""
    if status == "working":
        return "runs.status = 'working' AND runs.heartbeat >= ?", [stale_before]
    if status in {"interrupted", "cancelled"}:
        alive = "(runs.status = 'working' AND coalesce(runs.heartbeat, 0) >= ?)"
        cancel_condition = "NOT runs.cancel_requested"
        statuses = "'interrupted', 'working'"
        if status == "cancelled":  # also those whose process died before it could cancel
            cancel_condition = "(runs.status = 'cancelled' OR runs.cancel_requested)"
            statuses += ", 'cancelled'"
        return f"runs.status IN ({statuses}) AND {cancel_condition} AND NOT {alive}", [stale_before]
    return "runs.status = ?", [status]


def _fts_query(query: str) -> str:
    """The user's words as an FTS5 query, each quoted so that none is read as syntax."""
    words = clean(query).replace('"', " ").split()
    return " ".join(f'"{word}"' for word in words if any(char.isalnum() for char in word))
