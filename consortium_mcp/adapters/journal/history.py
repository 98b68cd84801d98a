"""Many runs at a time: pages, search, pruning."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.adapters.databases.search import PART, Source
from consortium_mcp.adapters.journal.attachments import delete_attachments
from consortium_mcp.adapters.journal.ratings import RATINGS_OF_RUN, ratings_of
from consortium_mcp.adapters.journal.store import LIVE_STATUS, Store
from consortium_mcp.core.records.run_summary import (
    CostLine,
    Costs,
    CostsBy,
    RunQuery,
    RunSummary,
)
from consortium_mcp.core.reports.report import RunReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from consortium_mcp.adapters.databases.database import Connection, Database, Row
    from consortium_mcp.core.records.run_record import RunRecord

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
        self._index = store.file.search_index()

    async def index_all(self) -> None:
        """Bring the index for searching up to date, in short steps."""
        await self._index.index_all()

    async def page(self, query: RunQuery) -> tuple[list[RunSummary], str | None]:
        """One page of the runs that somebody asked for, newest first; see `nested` for the others.

        Returns:
            The runs, and the cursor of the next page; `None` after the last page.
        """
        rows: Sequence[Row] = []
        if query.words is None or not query.words.strip():
            rows = await self._rows(query, Source("runs", "runs.id"))
        elif terms := query.terms:
            rows = await self._search(query, terms)
        runs = [RunSummary.of_row(dict(row)) for row in rows[: query.limit]]
        return runs, rows[query.limit - 1]["cursor"] if len(rows) > query.limit else None

    async def _search(self, query: RunQuery, terms: list[str]) -> list[Row]:
        """Runs that have the terms as words, then those that have them as parts of words.

        The second kind's cursors begin with `p`. It is looked for only when the first does not fill
        the page, so common words cost no more than an index of words does.
        """
        words = await self._index.words(terms)
        after = query.cursor or ""
        rows: list[Row] = []
        if words is not None and not after.startswith(PART):
            rows += await self._rows(query, words)
        if len(rows) <= query.limit and (parts := await self._index.parts(terms)):
            rest = replace(query, cursor=after.removeprefix(PART) if PART in after else None)
            rows += await self._rows(rest, parts)
        return rows[: query.limit + 1]

    async def _rows(self, query: RunQuery, source: Source) -> Sequence[Row]:
        """The newest runs of this source that pass the query's filters, one more than wanted."""
        # In the order of what they cost: SQLite tries them so.
        where, values = ["runs.parent_run_id IS NULL"], []
        for condition, value in self._filters(query, source.key):
            where.append(condition)
            values += value
        where += source.where
        return await self._store.file.read(
            f"SELECT {_SUMMARY}, '{source.kind}' || {_KEY_TEXT} AS cursor FROM {source.tables}"  # noqa: S608 (columns are ours)
            f" WHERE {' AND '.join(where)} ORDER BY {source.key} DESC LIMIT ?",
            [self._store.stale_before, *values, *source.values, query.limit + 1],
        )

    def _filters(self, query: RunQuery, key: str) -> Iterator[tuple[str, list[Any]]]:
        """SQL conditions with their values."""
        yield self._store.access.may_read()
        if query.status is not None:
            yield _has_status(query.status, self._store.stale_before)
        if query.consortium is not None:
            yield "runs.consortium = ?", [query.consortium]
        if query.cursor is not None:
            yield f"{key} < ?", [int(query.cursor.replace("m", "-"))]

    async def nested(self, run_id: str) -> list[RunSummary]:
        """The runs that answer calls of this one, and those that answer theirs, oldest first."""
        condition, values = self._store.access.may_read()
        rows = await self._store.file.read(
            "WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_run_id = ?"  # noqa: S608 (columns are ours)
            " UNION SELECT runs.run_id FROM runs JOIN below ON runs.parent_run_id = below.run_id)"
            f" SELECT {_SUMMARY} FROM runs WHERE run_id IN (SELECT run_id FROM below)"
            f" AND {condition} ORDER BY id",
            [run_id, self._store.stale_before, *values],
        )
        return [RunSummary.of_row(dict(row)) for row in rows]

    async def nested_records(self, run_id: str) -> list[RunRecord]:
        """The records of the runs that `nested` lists."""
        return [await self._store.record(each.run_id) for each in await self.nested(run_id)]

    async def costs(self, by: CostsBy) -> Costs:
        """What the recorded calls of one's own runs have cost, in one pass over them.

        A call to a nested consortium is left out, since that one's own calls are counted, under its
        own name.
        """
        own, whose = self._store.access.may_change("exchanges")
        joined = "JOIN runs USING (run_id)" if by in {"consortium", "client"} else ""
        rows = await self._store.file.read(
            f"SELECT {_COSTS_BY[by]} AS name, sum(tries) AS calls,"  # noqa: S608 (columns are ours)
            " sum(priced_calls) AS priced_calls, sum(cost_usd) AS cost_usd"
            f" FROM exchanges {joined}"
            " WHERE nested_run_id IS NULL AND coalesce(error_kind, '') != 'consortium'"
            f" AND {own} GROUP BY name ORDER BY {'name' if by == 'month' else _BY_COST}",
            whose,
        )
        return Costs([CostLine.model_validate(dict(row)) for row in rows])

    async def run_ids(self) -> AsyncIterator[str]:
        """The id of every run of one's own, oldest first."""
        last = _BEFORE_ALL
        own, whose = self._store.access.may_change()
        while rows := await self._store.file.read(
            f"SELECT id, run_id FROM runs WHERE id > ? AND {own} ORDER BY id LIMIT 100",  # noqa: S608
            [last, *whose],
        ):
            for row in rows:
                yield row["run_id"]
            last = rows[-1]["id"]

    async def reports(self) -> AsyncIterator[RunReport]:
        """Every report of one's own that this version can read, with its ratings, oldest first."""
        last = _BEFORE_ALL
        own, whose = self._store.access.may_change()
        while rows := await self._store.file.read(
            f"SELECT id, report, {RATINGS_OF_RUN} AS ratings FROM runs"  # noqa: S608 (ours)
            f" WHERE id > ? AND {own} ORDER BY id LIMIT 100",
            [last, *whose],
        ):
            for row in rows:
                with suppress(ValidationError):  # recorded in an early form
                    report = RunReport.model_validate_json(row["report"])
                    yield report.model_copy(update={"ratings": ratings_of(row)})
            last = rows[-1]["id"]

    async def record(self, run_id: str) -> RunRecord:
        """See `Store.record`."""
        return await self._store.record(run_id)

    async def older_than(self, before: str) -> RunCounts:
        """Count the runs, no longer working, that began before this time (ISO 8601, UTC)."""
        own, whose = self._store.access.may_change()
        rows = await self._store.file.read(
            f"SELECT count(*) AS runs, coalesce(sum((SELECT count(*) FROM exchanges"  # noqa: S608
            f" WHERE exchanges.run_id = runs.run_id)), 0) AS exchanges FROM runs WHERE {_PRUNABLE}"
            f" AND {own}",
            [before, self._store.stale_before, *whose],
        )
        return RunCounts(runs=rows[0]["runs"], exchanges=int(rows[0]["exchanges"]))

    async def prune(self, before: str) -> RunCounts:
        """Delete those runs and all that belongs to them, and count what was deleted."""
        total = RunCounts(0, 0)
        while (batch := await self._prune_batch(before)).runs:
            total = RunCounts(total.runs + batch.runs, total.exchanges + batch.exchanges)
        return total

    async def _prune_batch(self, before: str) -> RunCounts:
        own, whose = self._store.access.may_change()
        values = [before, self._store.stale_before, *whose]

        def write(db: Connection) -> RunCounts:
            rows = db.execute(
                f"SELECT id, run_id FROM runs WHERE {_PRUNABLE} AND {own}"  # noqa: S608
                f" ORDER BY id LIMIT {PRUNE_BATCH_RUNS}",
                values,
            ).fetchall()
            run_ids = [row["run_id"] for row in rows]
            if not run_ids:
                return RunCounts(0, 0)
            in_batch = f"WHERE run_id IN ({', '.join('?' for _ in run_ids)})"
            db.execute(f"DELETE FROM iterations {in_batch}", run_ids)  # noqa: S608
            db.execute(f"DELETE FROM begun_calls {in_batch}", run_ids)  # noqa: S608
            db.execute(f"DELETE FROM tool_uses {in_batch}", run_ids)  # noqa: S608
            db.execute(f"DELETE FROM ratings {in_batch}", run_ids)  # noqa: S608
            delete_attachments(db, in_batch, run_ids)
            exchanges = db.execute(f"DELETE FROM exchanges {in_batch}", run_ids).rowcount  # noqa: S608
            db.execute(f"DELETE FROM runs {in_batch}", run_ids)  # noqa: S608
            self._index.forget(db, [row["id"] for row in rows])
            return RunCounts(len(run_ids), exchanges)

        return await self._store.file.write(write)


@asynccontextmanager
async def opened_history(database: Path | Database) -> AsyncIterator[History]:
    """The journal of this database, for a command."""
    store = Store(database)
    try:
        yield History(store)
    finally:
        await store.close()


_BY_COST = "coalesce(sum(cost_usd), 0) DESC, sum(tries) DESC, name"
_KEY_TEXT = "replace(CAST(runs.id AS TEXT), '-', 'm')"
_BEFORE_ALL = -(2**63)
"""Below the key of every run; those of imported runs are below 0."""

# Its parameter is the time before which a heartbeat is stale.
_SUMMARY = (
    f"runs.run_id, {LIVE_STATUS} AS status, consortium, strategy, runs.prompt,"
    " runs.synthesis, final_answer, confidence, agreement, created_at, ended_at, parent_run_id,"
    " coalesce(json_extract(report, '$.usage.calls'), 0) AS calls,"
    " json_extract(report, '$.usage.cost_usd') AS cost_usd,"
    " coalesce(json_extract(report, '$.usage.priced_calls'), 0) AS priced_calls"
)
_COSTS_BY: dict[CostsBy, str] = {
    "month": "substr(exchanges.created_at, 1, 7)",
    "consortium": "runs.consortium",
    "model": "exchanges.model",
    "client": "runs.client",
}
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
