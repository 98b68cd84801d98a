"""How many runs work and wait just now, and for how long the first of them has waited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Database

_SILENT_SECONDS = 30.0
"""Silence after which a run no longer counts as working."""
# Only rows that have not ended are read, by the index on the status. A queued run has no owner.
_COUNTS = (
    "SELECT count(*) FILTER (WHERE owner IS NOT NULL"
    " AND heartbeat >= extract(epoch FROM now()) - ?) AS working,"
    " count(*) FILTER (WHERE owner IS NULL) AS queued,"
    " extract(epoch FROM now() - min(CAST(created_at AS timestamptz))"
    " FILTER (WHERE owner IS NULL)) AS oldest"
    " FROM runs WHERE status = 'working' AND parent_run_id IS NULL"
)


@dataclass(frozen=True)
class RunCounts:
    """The runs that somebody asked for; those nested in them are not counted."""

    working: int
    queued: int
    oldest_queued_seconds: float
    """How long the oldest of those has waited; 0 where none waits."""


async def run_counts(database: Database) -> RunCounts:
    """Count them.

    Raises:
        StoreError: the database cannot be read.
    """
    [row] = await database.read(_COUNTS, [_SILENT_SECONDS])
    return RunCounts(row["working"], row["queued"], max(0.0, float(row["oldest"] or 0)))
