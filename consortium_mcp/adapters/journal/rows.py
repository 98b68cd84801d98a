"""Turns rows of the database into values, and values into rows."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.adapters.journal.ratings import ratings_of
from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import ConfigError, StoreError, UnknownRun
from consortium_mcp.core.domain.run import Parent
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
from consortium_mcp.core.reports.next_steps import with_status
from consortium_mcp.core.reports.report import RunReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consortium_mcp.adapters.databases.database import Connection, Row
    from consortium_mcp.core.domain.run import Run

RECORD_COLUMNS = (
    "config, members, seed, warnings, calibration, weights, history, continues, parent_run_id,"
    " parent_call, client"
)
"""The columns that `record_of` needs besides the report."""


def run_row(run: Run, report: RunReport) -> dict[str, Any]:
    """The values of a new run, by column."""
    return {
        "run_id": run.run_id,
        "status": report.status,
        "consortium": run.config.name,
        "strategy": run.config.strategy,
        "prompt": run.prompt,
        # Without what is not set: older versions refuse a setting that they do not know.
        "config": run.config.model_dump_json(exclude_none=True),
        "members": json.dumps([member.model_dump() for member in run.members]),
        "seed": run.seed,
        "warnings": json.dumps(run.warnings),
        "calibration": run.calibration and run.calibration.model_dump_json(),
        "weights": run.weights and run.weights.model_dump_json(),
        "history": json.dumps([turn.model_dump() for turn in run.history]),
        "continues": run.continues,
        "parent_run_id": run.parent and run.parent.run_id,
        "parent_call": run.parent and run.parent.call,
        "client": run.client,
        "report": report.model_dump_json(),
        "created_at": report.created_at,
        "fingerprint": run.fingerprint,
    }


def insert(db: Connection, table: str, values: dict[str, Any]) -> bool:
    """Insert a row; False if there is one with its key."""
    marks = ", ".join("?" for _ in values)
    inserted = db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 (names are ours)
        [*values.values()],
    )
    return inserted.rowcount == 1


def insert_owned(
    table: str, values: dict[str, Any], owner: str, again: str = "DO NOTHING"
) -> tuple[str, list[Any]]:
    """A statement that inserts a row of a run, unless the run is recorded as somebody else's.

    On PostgreSQL the run cannot change its owner between the look and the write.

    Args:
        table: has a column `run_id`.
        values: by column.
        owner: who writes.
        again: what to do if there is a row with its key.

    Returns:
        The statement and its values.
    """
    marks = ", ".join("?" for _ in values)
    sql = (
        f"INSERT INTO {table} ({', '.join(values)})"  # noqa: S608 (names are ours)
        " WITH run AS (SELECT owner FROM runs WHERE run_id = ? /* FOR SHARE */)"
        f" SELECT {marks} WHERE NOT EXISTS (SELECT 1 FROM run WHERE coalesce(run.owner, '') != ?)"
        f" ON CONFLICT {again}"
    )
    return sql, [values["run_id"], *values.values(), owner]


def record_of(
    row: Row,
    report: RunReport,
    iterations: Sequence[IterationRecord],
    exchanges: Sequence[Exchange],
    begun_calls: Sequence[BegunCall],
) -> RunRecord:
    """A run with its iterations and exchanges.

    Raises:
        StoreError: it was recorded in a form that this version cannot read.
    """
    with _translated_errors(report.run_id or ""):
        return RunRecord(
            report=report,
            config=ConsortiumConfig.model_validate_json(row["config"]),
            members=json.loads(row["members"]),
            seed=row["seed"],
            warnings=json.loads(row["warnings"]),
            calibration=json.loads(row["calibration"] or "null"),
            weights=json.loads(row["weights"] or "null"),
            history=json.loads(row["history"]),
            continues=row["continues"],
            parent=_parent(row),
            client=row["client"],
            iterations=tuple(iterations),
            exchanges=tuple(exchanges),
            begun_calls=tuple(begun_calls),
        )


def exchange_of(row: Row) -> Exchange:
    """One recorded model call."""
    return Exchange.model_validate(dict(row) | {"warnings": json.loads(row["warnings"])})


def iteration_of(row: Row) -> IterationRecord:
    """One iteration, with its verdict if it has one."""
    return IterationRecord(
        number=row["number"],
        responses=row["responses"] and json.loads(row["responses"]),
        verdict=row["verdict"] and json.loads(row["verdict"]),
        cut=row["cut"],
    )


def _parent(row: Row) -> Parent | None:
    run_id = row["parent_run_id"]
    return None if run_id is None else Parent(run_id=run_id, call=row["parent_call"])


def report_of_row(rows: Sequence[Row], run_id: str) -> RunReport:
    """The report in the row that was found, with the run's current status and its ratings.

    Raises:
        UnknownRun: no row was found.
        StoreError: it was recorded in a form that this version cannot read.
    """
    if not rows:
        raise UnknownRun(f"No run has the id {run_id!r}.")
    with _translated_errors(run_id):
        report = RunReport.model_validate_json(rows[0]["report"])
        report = report.model_copy(update={"ratings": ratings_of(rows[0])})
    return with_status(report, rows[0]["live_status"])


@contextmanager
def _translated_errors(run_id: str) -> Iterator[None]:
    try:
        yield
    except (ValidationError, ConfigError) as error:
        raise StoreError(
            f"Run {run_id} was recorded in a form that this version cannot read. Use the version "
            "that recorded it, or prune it."
        ) from error
