"""Deletes what an installation does not keep any longer: runs, the audit log, the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store

if TYPE_CHECKING:
    from datetime import timedelta

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.settings import Settings

BATCH_ROWS = 1000
"""Rows deleted in one transaction; between two of them others can write."""


@dataclass(frozen=True)
class Deleted:
    """How many rows were too old."""

    runs: int = 0
    audit: int = 0
    ledger: int = 0


async def apply_retention(settings: Settings, database: Database) -> Deleted:
    """Delete what is older than the settings say; may be called by several servers at once.

    Args:
        settings: what is kept for how long; what they do not say is kept for ever.
        database: the team's.

    Raises:
        StoreError: the database cannot be used; what was deleted by then is gone.
    """
    runs = audit = ledger = 0
    if settings.keep_runs is not None:
        runs = (await History(Store(database)).prune(_before(settings.keep_runs).isoformat())).runs
    if settings.keep_audit is not None:
        audit = await _delete(database, _OLD_DEEDS, _before(settings.keep_audit))
    if settings.keep_ledger is not None:
        ledger = await _delete(database, _OLD_ADMISSIONS, _before(settings.keep_ledger))
        ledger += await _delete(database, _OLD_DAYS, _before(settings.keep_ledger))
    return Deleted(runs, audit, ledger)


async def _delete(database: Database, sql: str, before: datetime) -> int:
    total = 0
    while gone := await database.write(lambda db: db.execute(sql, [before, BATCH_ROWS]).rowcount):
        total += gone
    return total


def _before(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


# Rows that another server is deleting just now are left to it.
_OLD_DEEDS = (
    "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE at < ? ORDER BY id LIMIT ?"
    " FOR UPDATE SKIP LOCKED)"
)
_OLD_ADMISSIONS = (
    "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE settled_at < ? ORDER BY id LIMIT ?"
    " FOR UPDATE SKIP LOCKED)"
)
# The budgets of this month count all its days.
_OLD_DAYS = (
    "DELETE FROM spent WHERE (issuer, subject, day) IN (SELECT issuer, subject, day FROM spent"
    " WHERE day < LEAST(CAST(CAST(? AS timestamptz) AT TIME ZONE 'UTC' AS date),"
    " CAST(date_trunc('month', now() AT TIME ZONE 'UTC') AS date)) LIMIT ?"
    " FOR UPDATE SKIP LOCKED)"
)
