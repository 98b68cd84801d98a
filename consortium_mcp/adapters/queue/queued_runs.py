"""The journal's side of the queue: who works on which run.

A run that waits has no owner, and a heartbeat that is never over, so that everybody is told that it
works. Who takes it becomes its owner. Each change is one transaction, whatever the jobs say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.rows import report_of_row
from consortium_mcp.adapters.journal.store import (
    LIVE_STATUS,
    OWN_NESTED,
    QUEUED,
    RESUMED,
    cancel_now,
    now,
)
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.reports.next_steps import next_step_of, with_status

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.databases.lease import Lease
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.reports.report import RunReport

MOST_ATTEMPTS = 3
"""Processes that may die over a run before it is left to a person."""


@dataclass(frozen=True)
class Taken:
    """A run that has become this process's."""

    principal: Principal
    """Whose run it is."""
    deaths: int
    """Processes that died while they worked on it."""
    taken_over: bool
    """Whether one has just done so."""


class QueuedRuns:
    """The runs that wait for a worker, and those whose worker has died.

    Args:
        store: the local user's: it sees everybody's.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def lease(self) -> Lease:
        """How long the process of a run may be silent."""
        return self._store.lease

    async def began_just_now(self) -> bool:
        """Whether the database has run for so short that living owners may look silent."""
        [row] = await self._store.file.read(
            "SELECT extract(epoch FROM now() - pg_postmaster_start_time()) < ? AS just_now",
            [self.lease.claim_seconds],
        )
        return bool(row["just_now"])

    async def under_way(self, principal: Principal) -> int:
        """How many runs of somebody wait or work."""
        [row] = await self._store.file.read(
            "SELECT count(*) AS n FROM runs WHERE status = 'working' AND heartbeat >= ?"
            " AND issuer = ? AND subject = ? AND parent_run_id IS NULL",
            [self._store.claimable_before, *principal.columns.values()],
        )
        return int(row["n"])

    async def take(self, run_id: str) -> Taken | None:
        """Become the owner of a run that waits or whose owner is silent; `None` if it does not.

        If several processes try, one succeeds.
        """
        store = self._store

        def write(db: Connection) -> Taken | None:
            row = db.execute(
                f"SELECT issuer, subject, deaths, owner FROM runs WHERE run_id = ? AND {_FREE}"  # noqa: S608 (ours)
                " AND NOT cancel_requested /* FOR UPDATE */",
                [run_id, store.claimable_before],
            ).fetchone()
            if row is None:
                return None
            died = row["owner"] is not None
            deaths = row["deaths"] + died
            db.execute(
                "UPDATE runs SET owner = ?, heartbeat = ?, deaths = ? WHERE run_id = ?",
                [store.owner, store.clock, deaths, run_id],
            )
            if died or deaths:
                db.execute(OWN_NESTED, [run_id, store.owner])
            return Taken(Principal(issuer=row["issuer"], subject=row["subject"]), deaths, died)

        return await store.file.write(write)

    async def hand_over(self, run_ids: Collection[str]) -> None:
        """Let these runs of this process wait for another one."""
        store = self._store

        def write(db: Connection) -> None:
            for run_id in run_ids:
                given = db.execute(
                    "UPDATE runs SET owner = NULL, heartbeat = ?"
                    " WHERE run_id = ? AND owner = ? AND status = 'working'",
                    [QUEUED, run_id, store.owner],
                )
                if given.rowcount:
                    db.execute(OWN_NESTED, [run_id, None])

        if run_ids:
            await store.file.write(write)

    async def queue_again(self, store: Store, run_id: str) -> bool:
        """Let an interrupted run wait for a worker, for the person whose store this is.

        Returns:
            Whether it does now, and did not before.
        """
        own, whose = store.access.may_change()
        sql = (
            f"UPDATE runs SET owner = NULL, heartbeat = ?, deaths = 0, {RESUMED}"  # noqa: S608 (ours)
            f" WHERE run_id = ? AND {LIVE_STATUS} = 'interrupted' AND {own}"
        )
        values = [QUEUED, run_id, store.stale_before, *whose]

        def write(db: Connection) -> bool:
            queued = db.execute(sql, values).rowcount == 1
            if queued:
                db.execute(OWN_NESTED, [run_id, None])
            return queued

        return await store.file.write(write)

    async def fail(self, run_id: str, why: str) -> None:
        """End a run of this process that cannot be worked on."""
        report = await self._store.report(run_id)
        update = {"status": "failed", "error": why, "next_step": None}
        await self._store.save_report(report.model_copy(update=update))

    async def let_go(self, run_id: str) -> str:
        """What is to be done with a run whose worker is silent; what needs no worker is done here.

        Returns:
            `works`: its owner lives. `waits`: somebody may take it. `ended`: it has ended.
            `given up`: it took down its process too often, and is left to a person.
        """
        store = self._store

        def write(db: Connection) -> str:
            row = db.execute(
                "SELECT report, status, owner, deaths, cancel_requested, '[]' AS ratings,"  # noqa: S608 (ours)
                f" status AS live_status, {_FREE} AS free FROM runs WHERE run_id = ?"
                " /* FOR UPDATE */",
                [store.claimable_before, run_id],
            ).fetchone()
            if row is None or row["status"] != "working":
                return "ended"
            if not row["free"]:
                return "works"
            if row["cancel_requested"]:
                cancel_now(db, report_of_row([row], run_id))
                return "ended"
            if row["owner"] is None or row["deaths"] + 1 < MOST_ATTEMPTS:
                return "waits"
            _give_up(db, report_of_row([row], run_id), row["deaths"] + 1)
            return "given up"

        return await store.file.write(write)

    async def principal_of(self, run_id: str) -> Principal:
        """Whose run it is."""
        [row] = await self._store.file.read(
            "SELECT issuer, subject FROM runs WHERE run_id = ?", [run_id]
        )
        return Principal(issuer=row["issuer"], subject=row["subject"])

    async def is_joined(self, run_id: str) -> bool:
        """Whether another caller than the first waits for it."""
        sql = "SELECT 1 FROM runs WHERE run_id = ? AND joined"
        return bool(await self._store.file.read(sql, [run_id]))

    async def without_job(self) -> Sequence[str]:
        """Runs that wait, or whose owner is silent, and of which no job says so any more.

        A silent owner without any job is no worker, but the server of one person: their runs are
        theirs to resume.
        """
        job = (
            "EXISTS (SELECT 1 FROM procrastinate_jobs AS jobs"
            " WHERE jobs.queueing_lock = runs.run_id AND jobs.status IN "
        )
        rows = await self._store.file.read(
            "SELECT run_id FROM runs WHERE status = 'working' AND parent_run_id IS NULL"  # noqa: S608 (ours)
            f" AND NOT {job}('todo', 'doing')) AND (heartbeat = 'infinity'"
            f" OR (coalesce(heartbeat, 0) < ? AND {job}('failed'))))",
            [self._store.claimable_before],
        )
        return [row["run_id"] for row in rows]


def _give_up(db: Connection, report: RunReport, deaths: int) -> None:
    warning = (
        f"This run took down its process {deaths} times, so no other one begins with it by itself. "
        "Look into the servers' logs for the reason; resume_run tries again."
    )
    run_id = report.run_id or ""
    given_up = with_status(report, "interrupted")
    given_up = given_up.model_copy(
        update={
            "warnings": [*report.warnings, warning],
            "next_step": next_step_of(run_id, "interrupted", None),
        }
    )
    db.execute(
        "UPDATE runs SET status = 'interrupted', owner = NULL, heartbeat = 0, deaths = ?,"
        " report = ?, ended_at = ? WHERE run_id = ?",
        [deaths, given_up.model_dump_json(), now(), run_id],
    )


# A run that waits, or whose owner is silent. Its parameter is the time before which that is so.
_FREE = "(status = 'working' AND (heartbeat = 'infinity' OR coalesce(heartbeat, 0) < ?))"
