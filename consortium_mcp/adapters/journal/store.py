"""The journal: runs, exchanges, iterations. All our SQL is here and in the neighbouring modules.

A run belongs to the process that works on it, its *owner*, which writes a heartbeat every second.
Once the owner has been silent for the time of its `Lease`, every reader sees the run as
interrupted. That needs no write, so it also works for a file that cannot be written. A run that
waits for a worker has no owner, and a heartbeat that is never over.

What belongs to a run is written by its owner alone: a process that was silent, and whose run
another one goes on with, writes nothing of it any more.
"""

from __future__ import annotations

import json
import math
import secrets
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.databases.access import Access
from consortium_mcp.adapters.journal.attachments import (
    OF_RUN,
    attachment_of,
    insert_attachments,
)
from consortium_mcp.adapters.journal.database import DatabaseFile
from consortium_mcp.adapters.journal.ratings import RATINGS_OF_RUN
from consortium_mcp.adapters.journal.rows import (
    RECORD_COLUMNS,
    exchange_of,
    insert,
    insert_owned,
    iteration_of,
    record_of,
    report_of_row,
    run_row,
)
from consortium_mcp.adapters.sqlite.patience import PATIENCE_SECONDS
from consortium_mcp.core.domain.errors import NotYours, UnknownRun
from consortium_mcp.core.domain.principal import LOCAL
from consortium_mcp.core.domain.tool_use import ToolUse
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.reports.next_steps import with_resumes, with_status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import timedelta

    from consortium_mcp.adapters.databases.database import Connection, Database, Row
    from consortium_mcp.core.domain.principal import Principal, Visibility
    from consortium_mcp.core.domain.run import Parent, Run
    from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
    from consortium_mcp.core.reports.report import RunReport

QUEUED = math.inf
"""The heartbeat of a run that waits for a worker."""
# Its parameter is the time before which a heartbeat is stale.
LIVE_STATUS = (
    "CASE WHEN (runs.status = 'working' AND coalesce(runs.heartbeat, 0) < ?)"
    " OR runs.status = 'interrupted'"
    " THEN CASE WHEN runs.cancel_requested THEN 'cancelled' ELSE 'interrupted' END"
    " ELSE runs.status END"
)


@dataclass(frozen=True)
class HeartbeatReply:
    """What other processes have done to the runs of this one."""

    cancelled: frozenset[str]
    """Runs that somebody asked to cancel."""
    taken_over: frozenset[str]
    """Runs that another process has taken over, because this one was silent for too long."""
    joined: frozenset[str] = frozenset()
    """Runs that a caller of another process has joined."""


@dataclass(frozen=True)
class Acceptable:
    """Which earlier run of the same question will do instead of a new one."""

    working: bool
    """One that works now."""
    age: timedelta | None
    """One that was completed at most so long ago; `None` for none."""
    besides: Collection[str] = ()
    """But not these runs."""


@dataclass(frozen=True)
class EarlierRun:
    """A run of the same question."""

    run_id: str
    ended_at: str | None
    """ISO 8601, UTC; `None` while it works."""


class Store:
    """The journal in one database. Errors are those of `database.DatabaseFile`.

    Args:
        database: the file, which is created with its folders if missing, or another database.
        busy_seconds: see `DatabaseFile`.
        clock: seconds since the epoch, the same for every process; by default the database's.

    A store is somebody's: what is recorded through it is theirs, and what they may not read is
    answered as if it were not there. See `bound_to`.
    """

    def __init__(
        self,
        database: Path | Database,
        busy_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.file: Database = (
            DatabaseFile(database, busy_seconds) if isinstance(database, Path) else database
        )
        self.owner = secrets.token_hex(8)
        """The id that marks this process's runs."""
        self._clock = clock or self.file.clock
        self.lease = self.file.lease
        self.access = Access(LOCAL)
        self._queues = False
        self._on_lost: list[Callable[[str], object]] = []

    def bound_to(self, principal: Principal) -> Store:
        """The same journal of the same process, for somebody else."""
        bound = copy(self)
        bound.access = Access(principal)
        return bound

    def queueing(self) -> Store:
        """The same journal, where what is begun waits for a worker."""
        queueing = copy(self)
        queueing._queues = True  # noqa: SLF001 (a store as well)
        return queueing

    def when_lost(self, call: Callable[[str], object]) -> None:
        """Call this with the id of a run as soon as a write shows that another process has it."""
        self._on_lost.append(call)

    @property
    def _marks(self) -> dict[str, Any]:
        """What marks a run as this process's, and as that of the person who asks."""
        whose = self.access.principal.columns
        if self._queues:
            return {"owner": None, "heartbeat": QUEUED} | whose
        return {"owner": self.owner, "heartbeat": self._clock()} | whose

    @property
    def stale_before(self) -> float:
        """The time before which a heartbeat is stale, to readers."""
        return self._clock() - self.lease.told_seconds

    @property
    def claimable_before(self) -> float:
        """The time before which a heartbeat is stale, to who would go on with the run."""
        return self._clock() - self.lease.claim_seconds

    @property
    def clock(self) -> float:
        """The time that heartbeats are compared with."""
        return self._clock()

    def notes(self, *, recent: bool = False) -> list[str]:
        """What users of the journal should know: what of it was set aside as damaged.

        Args:
            recent: only what is news.
        """
        today = datetime.fromtimestamp(self._clock(), UTC)
        found = self.file.set_aside
        return [str(each) for each in found if not recent or each.is_recent(today)]

    async def close(self) -> None:
        """Close the file; the next use opens it again."""
        await self.file.close()

    async def check(self) -> None:
        """Open the file, or raise the reason why that fails."""
        await self.file.write(lambda _: None)

    # Runs

    async def begin_run(self, run: Run, report: RunReport) -> None:
        """Record a run of this process before any model is called."""
        values = run_row(run, report) | self._marks

        def write(db: Connection) -> None:
            insert(db, "runs", values)
            insert_attachments(db, run.run_id, run.attachments)

        await self.file.write(write)

    async def begin_run_unless_asked(
        self, run: Run, report: RunReport, acceptable: Acceptable
    ) -> EarlierRun | None:
        """Find an earlier run of the same question, or else record this one.

        Of several calls at once, of any process, one records its run and the others find that.
        """
        values = run_row(run, report) | self._marks
        sql, bound = self._earlier(run.fingerprint, acceptable)

        def write(db: Connection) -> EarlierRun | None:
            self.file.alone(db, run.fingerprint or run.run_id)
            row = db.execute(sql, bound).fetchone()
            if row is None:
                insert(db, "runs", values)
                insert_attachments(db, run.run_id, run.attachments)
                return None
            if row["ended_at"] is None:
                db.execute(_JOIN, [row["run_id"], self.owner, self._queues])
            return EarlierRun(**row)

        return await self.file.write(write)

    async def join(self, run_id: str) -> None:
        """Note that somebody besides the caller of its process waits for a run."""
        await self.file.write(lambda db: db.execute(_JOIN, [run_id, self.owner, self._queues]))

    async def earlier_run(
        self, fingerprint: str | None, acceptable: Acceptable
    ) -> EarlierRun | None:
        """An earlier run of the same question, if one will do; one that works goes first."""
        rows = await self.file.read(*self._earlier(fingerprint, acceptable))
        return EarlierRun(**rows[0]) if rows else None

    def _earlier(self, fingerprint: str | None, acceptable: Acceptable) -> tuple[str, list[Any]]:
        since = None
        if acceptable.age is not None:
            earliest = datetime.fromtimestamp(self._clock(), UTC) - acceptable.age
            since = earliest.isoformat(timespec="milliseconds")
        besides = ["", *acceptable.besides]
        own, whose = self.access.own()
        sql = _EARLIER.format(besides=", ".join("?" for _ in besides), own=own)
        values = [*whose, since, acceptable.working, self.stale_before]
        return sql, [fingerprint, *besides, *values]

    async def save_report(self, report: RunReport) -> None:
        """Update a run's row from its report, unless another process has taken the run over."""
        values = {
            "status": report.status,
            "synthesis": report.synthesis,
            "final_answer": report.final_answer,
            "confidence": report.confidence,
            "agreement": report.agreement,
            "report": report.model_dump_json(),
            "heartbeat": self._clock(),
        }
        assignments = ", ".join(f"{name} = ?" for name in values)
        ended_at = None if report.status == "working" else now()
        sql = (
            f"UPDATE runs SET {assignments}, ended_at = coalesce(ended_at, ?)"  # noqa: S608 (columns are ours)
            " WHERE run_id = ? AND owner = ?"
        )
        bound = [*values.values(), ended_at, report.run_id, self.owner]
        await self._write_owned(report.run_id or "", sql, bound)

    async def _write_owned(self, run_id: str, sql: str, values: Sequence[Any]) -> None:
        """Write something of a run, and tell if nothing was written as another process has it.

        Args:
            run_id: the run. One that could not be recorded yet is still this process's.
            sql: writes it if the run is this process's.
            values: of the statement.
        """
        if await self.file.write_one(sql, values):
            return
        lost = "SELECT 1 FROM runs WHERE run_id = ? AND coalesce(owner, '') != ?"
        if await self.file.read(lost, [run_id, self.owner]):
            for call in self._on_lost:
                call(run_id)

    async def beat(self, run_ids: Collection[str]) -> HeartbeatReply:
        """Write a heartbeat for these runs of this process, and read what others did to them."""
        if not run_ids:
            return HeartbeatReply(frozenset(), frozenset())
        return await self.file.write(lambda db: self.beat_on(db, run_ids))

    def beat_on(self, db: Connection, run_ids: Collection[str]) -> HeartbeatReply:
        """As `beat`, within a transaction that has begun; for some runs at least."""
        marks = ", ".join("?" for _ in run_ids)
        db.execute(
            f"UPDATE runs SET heartbeat = ? WHERE run_id IN ({marks}) AND owner = ?",  # noqa: S608
            [self._clock(), *run_ids, self.owner],
        )
        rows = db.execute(
            "SELECT run_id, owner, cancel_requested, joined FROM runs"  # noqa: S608
            f" WHERE run_id IN ({marks})",
            [*run_ids],
        ).fetchall()
        return HeartbeatReply(
            cancelled=frozenset(row["run_id"] for row in rows if row["cancel_requested"]),
            taken_over=frozenset(row["run_id"] for row in rows if row["owner"] != self.owner),
            joined=frozenset(row["run_id"] for row in rows if row["joined"]),
        )

    async def claim(self, run_id: str) -> bool:
        """Take over an interrupted run; if several processes try, one succeeds."""
        own, whose = self.access.may_change()

        def write(db: Connection) -> bool:
            claimed = db.execute(
                f"UPDATE runs SET owner = ?, heartbeat = ?, {RESUMED} WHERE run_id = ?"  # noqa: S608 (columns are ours)
                f" AND {LIVE_STATUS} = 'interrupted' AND {own}",
                [self.owner, self._clock(), run_id, self.claimable_before, *whose],
            )
            if claimed.rowcount == 1:
                db.execute(OWN_NESTED, [run_id, self.owner])
            return claimed.rowcount == 1

        return await self.file.write(write)

    async def claim_nested(self, run_id: str, parent_run_id: str) -> None:
        """Take over a nested run that has not ended, if its parent belongs to this process."""
        await self.file.write(
            lambda db: db.execute(
                "UPDATE runs SET owner = ?, heartbeat = ?, status = 'working', ended_at = NULL"
                " WHERE run_id = ? AND status IN ('working', 'interrupted')"
                " AND (SELECT owner FROM runs WHERE run_id = ?) = ?",
                [self.owner, self._clock(), run_id, parent_run_id, self.owner],
            )
        )

    async def cancel(self, run_id: str) -> None:
        """Ask a run's process to cancel it; cancel an interrupted run here and now.

        Raises:
            UnknownRun: no run has this id.
            NotYours: it is somebody else's.
        """

        def write(db: Connection) -> None:
            report = self._changeable(db, run_id)
            if report.status == "working":
                asked = db.execute(
                    "UPDATE runs SET cancel_requested = true"
                    " WHERE run_id = ? AND owner IS NOT NULL",
                    [run_id],
                )
                if asked.rowcount == 0:  # it waits for a worker
                    cancel_now(db, report)
            elif report.status == "interrupted":
                cancel_now(db, report)

        await self.file.write(write)

    async def report(self, run_id: str) -> RunReport:
        """The report of a run, as last saved.

        Raises:
            UnknownRun: no run has this id.
        """
        condition, values = self.access.may_read()
        sql = f"{_REPORT} AND {condition}"
        rows = await self.file.read(sql, [self.stale_before, run_id, *values])
        report = self._report_of(rows, run_id)
        if report.status != "interrupted":
            return report
        [row] = await self.file.read(_RESUMING, [run_id])
        return with_resumes(report, row["fruitless"], row["member_timeout"])

    def _report_of(self, rows: Sequence[Row], run_id: str) -> RunReport:
        if not rows and (older := self.file.set_aside):
            raise UnknownRun(
                f"No run has the id {run_id!r}. It may be in {older[-1].path}, which was set aside "
                "because it was damaged."
            )
        return report_of_row(rows, run_id)

    async def record(self, run_id: str) -> RunRecord:
        """A run with its iterations and exchanges.

        Raises:
            UnknownRun: no run has this id.
        """
        condition, values = self.access.may_read()
        sql = f"{_RECORD} WHERE run_id = ? AND {condition}"
        rows = await self.file.read(sql, [self.stale_before, run_id, *values])
        report = self._report_of(rows, run_id)
        iterations, exchanges = await self.iterations(run_id), await self.exchanges(run_id)
        begun = await self.begun_calls(run_id)
        record = record_of(rows[0], report, iterations, exchanges, begun)
        attached = await self.file.read(OF_RUN, [run_id]) if report.attachments else []
        uses = await self.tool_uses(run_id) if record.config.tools else []
        return record.model_copy(
            update={"attachments": tuple(map(attachment_of, attached)), "tool_uses": tuple(uses)}
        )

    async def nested_run(self, parent: Parent) -> str | None:
        """The id of the newest run that answers this call, if any."""
        own, whose = self.access.may_change()
        rows = await self.file.read(
            "SELECT run_id FROM runs WHERE parent_run_id = ? AND parent_call = ?"  # noqa: S608
            f" AND {own} ORDER BY id DESC LIMIT 1",
            [parent.run_id, parent.call, *whose],
        )
        return rows[0]["run_id"] if rows else None

    # Exchanges and iterations

    async def save_exchange(self, run_id: str, exchange: Exchange) -> None:
        """Record one model call and its outcome; a call that is recorded already stays as it is."""
        values = exchange.model_dump() | {
            "run_id": run_id,
            "warnings": json.dumps(exchange.warnings),
        }
        await self._write_owned(run_id, *insert_owned("exchanges", values, self.owner))

    async def save_tool_use(self, run_id: str, use: ToolUse) -> None:
        """Record one use of a tool; one that is recorded already stays as it is."""
        values = {"run_id": run_id} | use.model_dump()
        await self._write_owned(run_id, *insert_owned("tool_uses", values, self.owner))

    async def tool_uses(self, run_id: str) -> list[ToolUse]:
        """Every use of a tool in a run, in the order of recording."""
        rows = await self._of_run("tool_uses", run_id, ToolUse.model_fields, "id")
        return [ToolUse.model_validate(dict(row)) for row in rows]

    async def save_begun_call(self, run_id: str, call: BegunCall) -> None:
        """Note that a call has begun, or how often by now."""
        values = {"run_id": run_id} | call.model_dump()
        again = "(run_id, iteration, role, label, attempt) DO UPDATE SET tries = excluded.tries"
        await self._write_owned(run_id, *insert_owned("begun_calls", values, self.owner, again))

    async def begun_calls(self, run_id: str) -> list[BegunCall]:
        """Every call of a run that has begun."""
        rows = await self._of_run("begun_calls", run_id, BegunCall.model_fields, "iteration")
        return [BegunCall.model_validate(dict(row)) for row in rows]

    async def exchanges(self, run_id: str) -> list[Exchange]:
        """Every recorded model call of a run, in the order of recording."""
        rows = await self._of_run("exchanges", run_id, Exchange.model_fields, "id")
        return [exchange_of(row) for row in rows]

    async def save_iteration(self, run_id: str, iteration: IterationRecord) -> None:
        """Record an iteration: first when its hearing ends, again with its verdict."""
        found = iteration.model_dump(mode="json")
        values = {
            "run_id": run_id,
            "number": iteration.number,
            "responses": json.dumps(found["responses"]),
            "verdict": found["verdict"] and json.dumps(found["verdict"]),
            "cut": iteration.cut,
            "created_at": now(),
        }
        again = (
            "(run_id, number) DO UPDATE SET responses = excluded.responses,"
            " verdict = excluded.verdict, cut = excluded.cut"
        )
        await self._write_owned(run_id, *insert_owned("iterations", values, self.owner, again))

    async def iterations(self, run_id: str) -> list[IterationRecord]:
        """A run's iterations so far; the last may have no verdict yet."""
        columns = ("number", "responses", "verdict", "cut")
        rows = await self._of_run("iterations", run_id, columns, "number")
        return [iteration_of(row) for row in rows]

    async def _of_run(
        self, table: str, run_id: str, columns: Iterable[str], order: str
    ) -> Sequence[Row]:
        """What belongs to a run; nothing where its reader may not read it."""
        condition, values = self.access.may_read(table)
        return await self.file.read(
            f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 (columns are ours)
            f" WHERE run_id = ? AND {condition} ORDER BY {order}",
            [run_id, *values],
        )

    # Whose a run is

    async def share(self, run_id: str, visibility: Visibility) -> None:
        """Let others read a run, with the runs that are nested in it, or no longer.

        Raises:
            UnknownRun: no run has this id.
            NotYours: it is somebody else's.
        """

        def write(db: Connection) -> None:
            self._changeable(db, run_id)
            db.execute(
                "WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE run_id = ?"
                " UNION SELECT runs.run_id FROM runs JOIN below"
                " ON runs.parent_run_id = below.run_id)"
                " UPDATE runs SET visibility = ? WHERE run_id IN (SELECT run_id FROM below)",
                [run_id, visibility],
            )

        await self.file.write(write)

    async def visibility(self, run_id: str) -> Visibility | None:
        """Who may read a run besides its owner; `None` where it is not one's own to share.

        Neither is one person's: there is nobody else.
        """
        if self.access.principal == LOCAL:
            return None
        own, whose = self.access.own()
        sql = f"SELECT visibility FROM runs WHERE run_id = ? AND {own}"  # noqa: S608 (ours)
        rows = await self.file.read(sql, [run_id, *whose])
        return rows[0]["visibility"] if rows else None

    async def check_changeable(self, run_id: str) -> None:
        """Whether a run may be changed, by the person whose store this is.

        Raises:
            UnknownRun: no run has this id.
            NotYours: it is somebody else's.
        """
        await self.file.write(lambda db: self._changeable(db, run_id))

    def _changeable(self, db: Connection, run_id: str) -> RunReport:
        """The report of a run that may be changed, and that nobody else changes meanwhile."""
        condition, values = self.access.may_read()
        own, whose = self.access.may_change()
        sql = f"{_REPORT} AND {condition} {_FOR_UPDATE}"
        rows = db.execute(sql, [self.stale_before, run_id, *values]).fetchall()
        report = report_of_row(rows, run_id)
        found = db.execute(f"SELECT 1 FROM runs WHERE run_id = ? AND {own}", [run_id, *whose])  # noqa: S608
        if found.fetchone() is None:
            raise NotYours(
                f"Run {run_id} is somebody else's, who lets you read it. Only they may change it; "
                "to go on from it, ask with continue_run."
            )
        return report


def now() -> str:
    """The current time as reports write it: ISO 8601, UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def cancel_now(db: Connection, report: RunReport) -> None:
    """Cancel a run on which no process works."""
    cancelled = with_status(report, "cancelled")
    db.execute(
        "UPDATE runs SET status = 'cancelled', report = ?, ended_at = coalesce(ended_at, ?),"
        " owner = NULL WHERE run_id = ?",
        [cancelled.model_dump_json(), now(), report.run_id],
    )


# Rows that are read to be changed. SQLite takes it for a comment; it has one writer at a time
# anyway.
_FOR_UPDATE = "/* FOR UPDATE */"
# The runs that are nested in a run and have not ended go to its new owner, so that the old one
# writes nothing of them either. Whether they work is another question: see `claim_nested`.
OWN_NESTED = (
    "WITH RECURSIVE below (run_id) AS (SELECT run_id FROM runs WHERE parent_run_id = ?"
    " UNION SELECT runs.run_id FROM runs JOIN below ON runs.parent_run_id = below.run_id)"
    " UPDATE runs SET owner = ? WHERE status IN ('working', 'interrupted')"
    " AND run_id IN (SELECT run_id FROM below)"
)
# Answers that a run has, with those of its nested runs; and resumes in a row that brought none.
_ANSWERS = (
    "(SELECT count(*) FROM exchanges AS e WHERE e.run_id = runs.run_id OR e.run_id IN"
    " (SELECT nested.run_id FROM runs AS nested WHERE nested.parent_run_id = runs.run_id))"
)
_FRUITLESS = (
    f"CASE WHEN coalesce(resumed_with, -1) = {_ANSWERS} THEN fruitless_resumes + 1 ELSE 0 END"
)
# What changes in the row of an interrupted run that somebody resumes.
RESUMED = (
    "status = 'working', ended_at = NULL, cancel_requested = false,"
    f" fruitless_resumes = {_FRUITLESS}, resumed_with = {_ANSWERS}"
)
_RESUMING = (
    f"SELECT {_FRUITLESS} AS fruitless, json_extract(config, '$.member_timeout') AS member_timeout"  # noqa: S608
    " FROM runs WHERE run_id = ?"
)
_JOIN = "UPDATE runs SET joined = true WHERE run_id = ? AND (coalesce(owner, '') != ? OR ?)"
_EARLIER = (
    "SELECT run_id, ended_at FROM runs WHERE fingerprint = ?"  # noqa: S608
    " AND run_id NOT IN ({besides}) AND {own}"
    " AND ((status = 'completed' AND ended_at >= ?)"
    f" OR (? AND NOT cancel_requested AND {LIVE_STATUS} = 'working'))"
    " ORDER BY ended_at IS NULL DESC, id DESC LIMIT 1"
)
_REPORT_COLUMNS = f"report, {LIVE_STATUS} AS live_status, {RATINGS_OF_RUN} AS ratings"
_REPORT = f"SELECT {_REPORT_COLUMNS} FROM runs WHERE run_id = ?"  # noqa: S608 (columns are ours)
_RECORD = f"SELECT {_REPORT_COLUMNS}, {RECORD_COLUMNS} FROM runs"  # noqa: S608 (columns are ours)
