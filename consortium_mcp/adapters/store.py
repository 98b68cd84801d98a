"""The record of everything: consortiums, runs, exchanges, verdicts. The only SQL of the project.

One SQLite file, shared by every process on this machine. `BEGIN IMMEDIATE` for each write, because
a deferred transaction that finds the lock taken fails at once however long the timeout is (measured
with four processes: 105 of 400 runs saved, and 400 of 400 with IMMEDIATE). All work happens in
threads, one at a time, so that a lock held elsewhere never stops the event loop.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from sqlite_utils import Database

from consortium_mcp.adapters.migrations import migrations
from consortium_mcp.core.answers import clean
from consortium_mcp.core.errors import (
    MemberError,
    StoreBusy,
    StoreError,
    StoreNewer,
    UnknownConsortium,
    UnknownRun,
)
from consortium_mcp.core.models import ConsortiumConfig, Question, Reply, Verdict
from consortium_mcp.core.panel import closest
from consortium_mcp.core.report import Exchange, RunReport, RunSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consortium_mcp.core.models import Run

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long to wait for another process's write."""
_WAL_TRIES = 50


class Store:
    """The database, opened at its first use.

    Args:
        path: the file; it and its folders are made when missing.
        busy_seconds: how long to wait while another process holds the write lock.

    Every method raises:
        StoreError: the file cannot be read or written; the message names it and the remedy.
        StoreBusy: another process held the write lock for too long.
        StoreNewer: a newer version of this software wrote the file.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._db: Database | None = None
        self._turn = anyio.CapacityLimiter(1)

    # Consortiums

    async def save_consortium(self, config: ConsortiumConfig) -> None:
        """Save a consortium under its name, in place of any other of that name."""
        now = _now()

        def write(db: Database) -> None:
            db.conn.execute(
                "INSERT INTO consortiums (name, config, created_at, updated_at)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET config = excluded.config, updated_at = excluded.updated_at",
                [config.name, config.model_dump_json(), now, now],
            )

        await self._write(write)

    async def consortium(self, name: str) -> ConsortiumConfig:
        """The saved consortium of this name.

        Raises:
            UnknownConsortium: there is none; the message lists the closest names.
        """
        saved = {config.name: config for config in await self.consortiums()}
        if name not in saved:
            names = [str(n) for n in saved]
            near = closest(name, names) or names[:5]
            hint = f"Saved: {', '.join(near)}." if near else "None is saved yet."
            raise UnknownConsortium(
                f"No consortium is saved as {name!r}. {hint} `save_consortium` makes one."
            )
        return saved[name]

    async def consortiums(self) -> list[ConsortiumConfig]:
        """Every saved consortium, by name."""
        rows = await self._read("SELECT config FROM consortiums ORDER BY name")
        return [ConsortiumConfig.model_validate_json(row["config"]) for row in rows]

    async def delete_consortium(self, name: str) -> None:
        """Delete a saved consortium; its runs stay.

        Raises:
            UnknownConsortium: there is none of this name.
        """
        await self.consortium(name)
        await self._write(
            lambda db: db.conn.execute("DELETE FROM consortiums WHERE name = ?", [name])
        )

    # Runs

    async def begin_run(self, run: Run, report: RunReport) -> None:
        """Record a run before any model is called."""

        def write(db: Database) -> None:
            db.conn.execute(
                "INSERT INTO runs (run_id, status, consortium, strategy, prompt, config, members,"
                " seed, report, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    run.run_id,
                    run.status,
                    run.config.name,
                    run.config.strategy,
                    run.prompt,
                    run.config.model_dump_json(),
                    json.dumps([member.model_dump() for member in run.members]),
                    run.seed,
                    report.model_dump_json(),
                    report.created_at,
                ],
            )

        await self._write(write)

    async def save_report(self, report: RunReport) -> None:
        """Bring a run's row up to its report."""

        def write(db: Database) -> None:
            db.conn.execute(
                "UPDATE runs SET status = ?, synthesis = ?, final_answer = ?, confidence = ?,"
                " agreement = ?, report = ?, ended_at = coalesce(ended_at, ?) WHERE run_id = ?",
                [
                    report.status,
                    report.synthesis,
                    report.final_answer,
                    report.confidence,
                    report.agreement,
                    report.model_dump_json(),
                    None if report.status == "working" else _now(),
                    report.run_id,
                ],
            )

        await self._write(write)

    async def report(self, run_id: str) -> RunReport:
        """The report of a run, as last saved.

        Raises:
            UnknownRun: no run has this id.
        """
        rows = await self._read("SELECT report FROM runs WHERE run_id = ?", [run_id])
        if not rows:
            raise UnknownRun(
                f"No run has the id {run_id!r}. `list_runs` lists the newest; "
                "`list_runs(query=…)` searches them."
            )
        return RunReport.model_validate_json(rows[0]["report"])

    async def list_runs(
        self,
        *,
        limit: int,
        before: int | None = None,
        query: str | None = None,
        status: str | None = None,
        consortium: str | None = None,
    ) -> tuple[list[RunSummary], int | None]:
        """Runs, newest first, a page at a time.

        Args:
            limit: how many at most.
            before: the key that the page before this one returned.
            query: words that the prompt or the synthesis must all contain.
            status: only runs in this status.
            consortium: only runs of this saved consortium.

        Returns:
            The runs, and the key for the next page, `None` after the last.
        """
        source, where, values = "runs", [], []
        if query is not None and query.strip():
            words = _fts(query)
            if not words:  # nothing but punctuation is in no index
                return [], None
            source = "runs_fts JOIN runs ON runs.id = runs_fts.rowid"
            where.append("runs_fts MATCH ?")
            values.append(words)
        key = "runs_fts.rowid" if where else "runs.id"
        for column, value in (("status", status), ("consortium", consortium)):
            if value is not None:
                where.append(f"runs.{column} = ?")
                values.append(value)
        if before is not None:
            where.append(f"{key} < ?")
            values.append(str(before))
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        rows = await self._read(
            f"SELECT runs.id AS key, runs.run_id, status, consortium, strategy, runs.prompt,"  # noqa: S608 (columns are ours)
            f" runs.synthesis, final_answer, confidence, agreement, created_at, ended_at"
            f" FROM {source} {condition} ORDER BY {key} DESC LIMIT ?",
            [*values, limit + 1],
        )
        runs = [RunSummary.of_row(dict(row)) for row in rows[:limit]]
        return runs, rows[limit - 1]["key"] if len(rows) > limit else None

    # What was said

    async def save_exchange(
        self, run_id: str, question: Question, outcome: Reply | MemberError
    ) -> None:
        """Record one model call and what came of it."""
        reply = outcome if isinstance(outcome, Reply) else None
        error = outcome if isinstance(outcome, MemberError) else None

        def write(db: Database) -> None:
            db.conn.execute(
                "INSERT INTO exchanges (run_id, iteration, role, label, attempt, model, system,"
                " prompt, reply, error, error_kind, permanent, warnings, seconds, input_tokens,"
                " output_tokens, created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                [
                    run_id,
                    question.iteration,
                    question.role,
                    question.label,
                    question.attempt,
                    question.model,
                    question.system,
                    question.prompt,
                    reply.text if reply else None,
                    str(error) if error else None,
                    error.kind if error else None,
                    error.permanent if error else None,
                    json.dumps(reply.warnings if reply else []),
                    reply.seconds if reply else None,
                    reply.input_tokens if reply else None,
                    reply.output_tokens if reply else None,
                    _now(),
                ],
            )

        await self._write(write)

    async def exchanges(self, run_id: str) -> list[Exchange]:
        """Every recorded model call of a run, in the order they landed."""
        rows = await self._read(
            "SELECT iteration, role, label, attempt, model, system, prompt, reply, error, seconds,"
            " input_tokens, output_tokens, created_at FROM exchanges WHERE run_id = ? ORDER BY id",
            [run_id],
        )
        return [Exchange.model_validate(dict(row)) for row in rows]

    async def save_verdict(self, run_id: str, iteration: int, verdict: Verdict) -> None:
        """Record an iteration's verdict."""
        row = [run_id, iteration, verdict.model_dump_json(), _now()]
        await self._write(
            lambda db: db.conn.execute(
                "INSERT INTO verdicts (run_id, iteration, verdict, created_at) VALUES (?, ?, ?, ?)",
                row,
            )
        )

    async def verdicts(self, run_id: str) -> list[tuple[int, Verdict]]:
        """A run's verdicts, each with the number of its iteration."""
        rows = await self._read(
            "SELECT iteration, verdict FROM verdicts WHERE run_id = ? ORDER BY iteration", [run_id]
        )
        return [(row["iteration"], Verdict.model_validate_json(row["verdict"])) for row in rows]

    # The file

    async def close(self) -> None:
        """Close the file; the store opens it again when it is used again."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close, limiter=self._turn)

    async def check(self) -> None:
        """Open the file, or say why that cannot be done."""
        await self._write(lambda _: None)

    def _close(self) -> None:
        if self._db is not None:
            self._db.conn.close()
            self._db = None

    async def _write(self, change: Callable[[Database], Any]) -> None:
        def work() -> None:
            with self._named_errors():
                db = self._opened()
                with _immediate(db.conn):
                    change(db)

        # Shielded: what was paid for is recorded even if its run is cancelled this very moment.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(work, limiter=self._turn)

    async def _read(self, sql: str, values: list[Any] | None = None) -> list[sqlite3.Row]:
        def work() -> list[sqlite3.Row]:
            with self._named_errors():
                return list(self._opened().conn.execute(sql, values or []))

        return await anyio.to_thread.run_sync(work, limiter=self._turn)

    def _opened(self) -> Database:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                connection.row_factory = sqlite3.Row
                db = Database(connection, execute_plugins=False)
                _use_wal(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                self._migrate(db)
            except BaseException:
                connection.close()
                raise
            self._db = db
        return self._db

    def _migrate(self, db: Database) -> None:
        ours = {migration.name for migration in migrations._migrations}  # noqa: SLF001 (no public list)
        strangers = [done.name for done in migrations.applied(db) if done.name not in ours]
        if strangers:
            raise StoreNewer(
                f"{self.path} was written by a newer consortium-mcp (it knows {strangers[-1]}). "
                "Upgrade this one, or set CONSORTIUM_DB to another file."
            )
        if migrations.pending(db):
            with _immediate(db.conn):  # another process may be migrating at this very moment
                migrations.apply(db)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "locked" in str(error) or "busy" in str(error):
                raise StoreBusy(
                    f"{self.path} has been locked by another process for "
                    f"{self._busy_seconds:g} s. "
                    "Try again; if it stays so, see which process holds the file."
                ) from error
            raise StoreError(
                f"The database {self.path} cannot be used: {error}. Check that the file and its "
                "folder can be written and the disk has room, or set CONSORTIUM_DB to another file."
            ) from error
        except OSError as error:
            raise StoreError(
                f"The folder of the database {self.path} cannot be made: {error.strerror}. "
                "Set CONSORTIUM_DB to a file in a folder that can be written."
            ) from error


@contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for the lock here, so several first starts must try."""
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _WAL_TRIES - 1:
                raise
            time.sleep(0.02 * (attempt % 5 + 1))
        else:
            return


def _fts(query: str) -> str:
    """The user's words as an FTS5 query: each quoted, so that none is read as syntax."""
    words = clean(query).replace('"', " ").split()
    return " ".join(f'"{word}"' for word in words if any(char.isalnum() for char in word))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
