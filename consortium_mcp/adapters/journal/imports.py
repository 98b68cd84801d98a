"""Takes over runs that were recorded elsewhere: by another program, or in another database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.adapters.journal.attachments import insert_attachments
from consortium_mcp.adapters.journal.ratings import insert_rating
from consortium_mcp.adapters.journal.rows import insert, run_row
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.records.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.store import Store

BATCH_RUNS = 50
"""Runs written in one transaction; between two of them other processes can write."""


@dataclass
class Imported:
    """What became of the runs of a file."""

    new: int = 0
    known: int = 0
    """They were there already, and stay as they are."""
    refused: dict[int, str] = field(default_factory=dict)
    """By the number of its line, why a run cannot be read."""


async def import_exported(store: Store, file: Path) -> Imported:
    """Record the runs that `runs export` has written into a file, as those of the store's owner.

    The file is read twice and never held as a whole: runs bring what was attached to them.

    Raises:
        OSError: the file cannot be read.
        StoreError: they cannot be recorded; those that are recorded already stay.
    """
    found = Imported()
    with file.open("rb") as lines:
        offsets = [0]
        while line := lines.readline():
            offsets.append(offsets[-1] + len(line))
        for end in range(len(offsets) - 1, 0, -BATCH_RUNS):
            begin = max(0, end - BATCH_RUNS)
            lines.seek(offsets[begin])
            records = []
            for number in range(begin + 1, end + 1):
                if line := lines.readline().strip():
                    try:
                        records.append(RunRecord.model_validate_json(line))
                    except (ValidationError, ConfigError) as error:
                        found.refused[number] = _first_reason(error)
            new = await import_runs(store, records)
            found.new += new
            found.known += len(records) - new
    return found


def _first_reason(error: ValidationError | ConfigError) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join([".".join(map(str, first["loc"])), first["msg"]]).removeprefix(": ")


async def import_runs(store: Store, records: Sequence[RunRecord]) -> int:
    """Record these runs, oldest first, before all that are there: lists show the newest first.

    Those that are there already stay as they are, so it can be done again.

    Returns:
        How many were new. Errors are those of `database.DatabaseFile`.
    """
    new = 0
    for end in range(len(records), 0, -BATCH_RUNS):
        batch = records[max(0, end - BATCH_RUNS) : end]
        new += await store.file.write(partial(_write, store=store, records=batch))
    return new


def _write(db: Connection, store: Store, records: Sequence[RunRecord]) -> int:
    store.file.alone(db, "import")  # so that no two imports give their runs the same keys
    whose = store.access.principal.columns
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
            "final_answer": report.final_answer,
            "confidence": report.confidence,
            "agreement": report.agreement,
            "ended_at": _ended_at(record),
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
            "responses": None if responses is None else json.dumps(responses),
            "verdict": iteration.verdict and iteration.verdict.model_dump_json(),
            "cut": iteration.cut,
            "created_at": report.created_at,
        }
        insert(db, "iterations", values)
    for call in record.begun_calls:
        insert(db, "begun_calls", {"run_id": report.run_id} | call.model_dump())
    for use in record.tool_uses:
        insert(db, "tool_uses", {"run_id": report.run_id} | use.model_dump())
    for rating in report.ratings:
        insert_rating(db, report.run_id or "", rating)
    return True


def _ended_at(record: RunRecord) -> str | None:
    """When its last call ended; `None` for a run that can be resumed.

    One that was still working where it was recorded is interrupted here: nobody works on it.
    """
    if record.report.status in {"working", "interrupted"}:
        return None
    return max((each.created_at for each in record.exchanges), default=record.report.created_at)
