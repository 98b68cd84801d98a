"""Takes over runs that another program recorded."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.journal.attachments import insert_attachments
from consortium_mcp.adapters.journal.ratings import insert_rating
from consortium_mcp.adapters.journal.rows import insert, run_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.records.run_record import RunRecord

BATCH_RUNS = 50
"""Runs written in one transaction; between two of them other processes can write."""


async def import_runs(store: Store, records: Sequence[RunRecord]) -> int:
    """Record these runs, oldest first, before all that are there: lists show the newest first.

    Those that are there already stay as they are, so it can be done again.

    Returns:
        How many were new. Errors are those of `database.DatabaseFile`.
    """
    new = 0
    for end in range(len(records), 0, -BATCH_RUNS):
        batch = records[max(0, end - BATCH_RUNS) : end]
        whose = store.access.principal.columns
        new += await store.file.write(partial(_write, records=batch, whose=whose))
    return new


def _write(db: Connection, records: Sequence[RunRecord], whose: dict[str, str]) -> int:
    [oldest] = db.execute("SELECT min(id) AS id FROM runs").fetchall()
    free = min(oldest["id"] or 1, 1) - 1
    new = 0
    for record in reversed(records):
        if _write_run(db, record, whose | {"id": free - new}):
            new += 1
    return new


def _write_run(db: Connection, record: RunRecord, columns: dict[str, Any]) -> bool:
    report = record.report
    row = (
        run_row(record.run(), report)
        | columns
        | {
            "synthesis": report.synthesis,
            "ended_at": max(each.created_at for each in record.exchanges),
        }
    )
    if not insert(db, "runs", row):
        return False
    insert_attachments(db, report.run_id or "", record.attachments)
    for exchange in record.exchanges:
        values = exchange.model_dump() | {"warnings": json.dumps(exchange.warnings)}
        insert(db, "exchanges", {"run_id": report.run_id} | values)
    for iteration in record.iterations:
        responses = iteration.model_dump(mode="json")["responses"]
        values = {
            "run_id": report.run_id,
            "number": iteration.number,
            "responses": json.dumps(responses),
            "created_at": report.created_at,
        }
        insert(db, "iterations", values)
    for rating in report.ratings:
        insert_rating(db, report.run_id or "", rating)
    return True
