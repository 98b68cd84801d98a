"""The calibration for new runs: the database keeps all of them, and the newest is in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.run import Calibration

if TYPE_CHECKING:
    import sqlite3

    from consortium_mcp.adapters.journal.store import Store

_NEWEST = "SELECT calibration FROM calibrations ORDER BY id DESC LIMIT 1"
_INSERT = "INSERT INTO calibrations (calibration, created_at) VALUES (?, ?)"


class Calibrations:
    """Reads and writes it.

    Args:
        store: the database that holds it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self) -> Calibration | None:
        """The calibration in force, or `None`."""
        rows = await self._store.file.read(_NEWEST, [])
        newest = json.loads(rows[0]["calibration"] or "null") if rows else None
        return None if newest is None else Calibration.model_validate(newest)

    async def keep(self, calibration: Calibration | None) -> None:
        """Use this one, or none, from now on; earlier ones stay on record."""
        text = None if calibration is None else calibration.model_dump_json()

        def write(db: sqlite3.Connection) -> None:
            db.execute(_INSERT, [text, now()])

        await self._store.file.write(write)
