"""What one server of a team has begun and another may go on with."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Connection, Database
    from consortium_mcp.core.domain.principal import Principal

_KEPT = "24 hours"


class SharedPlans:
    """Which plans were shown for confirmation, by any server.

    Args:
        database: the team's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def show(self, who: Principal, request: str) -> bool:
        """Note that a plan is shown to somebody; returns whether they have seen it before."""
        hashed = hashlib.sha256(request.encode()).hexdigest()

        def write(db: Connection) -> bool:
            db.execute(f"DELETE FROM shown_plans WHERE shown_at < now() - interval '{_KEPT}'")  # noqa: S608 (ours)
            added = db.execute(
                "INSERT INTO shown_plans (issuer, subject, request) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                [who.issuer, who.subject, hashed],
            )
            return added.rowcount == 0

        return await self._database.write(write)


async def shared_secret(database: Database, name: str) -> str:
    """A secret that all servers of the team know, made by the first that asks for it.

    It protects what clients carry from one server to another. Whoever can write the database could
    make themselves a token anyway, so that it may lie there.
    """

    def write(db: Connection) -> str:
        db.execute(
            "INSERT INTO shared_secrets (name, secret) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [name, secrets.token_urlsafe(48)],
        )
        found = db.execute("SELECT secret FROM shared_secrets WHERE name = ?", [name]).fetchone()
        return str(found["secret"])

    return await database.write(write)
