"""The calibration that new runs are given: kept in the database, the newest counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.run import Calibration

if TYPE_CHECKING:
    import sqlite3

    from consortium_mcp.adapters.journal.store import Store

_NEWEST = "SELECT calibration FROM calibrations ORDER BY id DESC LIMIT 1"
_KEEP = "INSERT INTO calibrations (calibration, created_at) VALUES (?, ?)"


class Calibrations:
    """Reads and keeps it.

    Args:
        store: the database it is kept in.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self) -> Calibration | None:
        """The one in force, or `None`."""
        rows = await self._store.file.read(_NEWEST, [])
        kept = json.loads(rows[0]["calibration"] or "null") if rows else None
        return None if kept is None else Calibration.model_validate(kept)

    async def keep(self, calibration: Calibration | None) -> None:
        """From now on this one, or none; earlier ones stay on record."""
        text = None if calibration is None else calibration.model_dump_json()

        def write(db: sqlite3.Connection) -> None:
            db.execute(_KEEP, [text, now()])

        await self._store.file.write(write)
