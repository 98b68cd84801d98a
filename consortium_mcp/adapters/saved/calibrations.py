"""What labelled runs taught, for new runs: the database keeps all of it, the newest is in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.learned import Learned

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.store import Store

_NEWEST = "SELECT calibration, learned FROM calibrations ORDER BY id DESC LIMIT 1"
_INSERT = "INSERT INTO calibrations (calibration, learned, created_at) VALUES (?, ?, ?)"


class Calibrations:
    """Reads and writes it.

    Args:
        store: the database that holds it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self) -> Learned:
        """What is in force; nothing learned where nothing was."""
        rows = await self._store.file.read(_NEWEST, [])
        if not rows:
            return Learned()
        values = json.loads(rows[0]["learned"] or "{}")  # older versions only calibrate
        calibration = json.loads(rows[0]["calibration"] or "null")
        return Learned.model_validate(values | {"calibration": calibration})

    async def keep(self, learned: Learned | None) -> None:
        """Use this, or nothing, from now on; what was before stays on record."""
        learned = learned or Learned()
        calibration = learned.calibration and learned.calibration.model_dump_json()
        rest = learned.model_dump_json(exclude={"calibration"})

        def write(db: Connection) -> None:
            db.execute(_INSERT, [calibration, rest, now()])

        await self._store.file.write(write)
