"""The limits that the admin has set: who may spend how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.spending.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.databases.database import Connection, Database, Row

# A user's own limit takes the place of what holds for each user.
_HOLDING = (
    "SELECT who, issuer, subject, period, what, most FROM budgets AS held"
    " WHERE who = 'everybody' OR (who = 'user' AND issuer = ? AND subject = ?)"
    " OR (who = 'each' AND NOT EXISTS (SELECT 1 FROM budgets AS own WHERE own.who = 'user'"
    " AND own.issuer = ? AND own.subject = ? AND own.period = held.period"
    " AND own.what = held.what)) ORDER BY what, period, who"
)


class Limits:
    """The limits in a team's database.

    Args:
        database: a team's. Its errors are those of `databases.database.Database`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, limit: Limit) -> None:
        """Set a limit, in the place of the one that holds for the same.

        Raises:
            ConfigError: there is no such limit.
        """
        check(limit)
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO budgets (who, issuer, subject, period, what, most)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (who, issuer, subject, period, what)"
                " DO UPDATE SET most = excluded.most, changed_at = now()",
                [*_key(limit), limit.most],
            )
        )

    async def remove(self, limit: Limit) -> bool:
        """Remove the limit that holds for the same, whatever its amount; whether there was one."""

        def write(db: Connection) -> bool:
            gone = db.execute(
                "DELETE FROM budgets WHERE who = ? AND issuer = ? AND subject = ? AND period = ?"
                " AND what = ?",
                _key(limit),
            )
            return gone.rowcount > 0

        return await self._database.write(write)

    async def all(self) -> list[Limit]:
        """Every limit: first those for all together, then for each, then for single users."""
        rows = await self._database.read(
            "SELECT who, issuer, subject, period, what, most FROM budgets ORDER BY"
            " CASE who WHEN 'everybody' THEN 1 WHEN 'each' THEN 2 ELSE 3 END,"
            " issuer, subject, what, period"
        )
        return [limit_of(row) for row in rows]

    async def holding(self, principal: Principal) -> list[Limit]:
        """The limits that hold for this user."""
        whose = [*principal.columns.values()]
        return [limit_of(row) for row in await self._database.read(_HOLDING, [*whose, *whose])]


def holding(db: Connection, principal: Principal) -> list[Limit]:
    """The limits that hold for this user, within a transaction."""
    whose = [*principal.columns.values()]
    return [limit_of(row) for row in db.execute(_HOLDING, [*whose, *whose]).fetchall()]


def check(limit: Limit) -> None:
    """Whether there can be such a limit.

    Raises:
        ConfigError: there cannot.
    """
    if (limit.what == "runs") != (limit.period == "now"):
        raise ConfigError(
            "Runs are limited at the same time (period `now`), and all else by day or month."
        )


def limit_of(row: Row) -> Limit:
    """The limit in this row."""
    user = None
    if row["who"] == "user":
        user = Principal(issuer=row["issuer"], subject=row["subject"])
    return Limit(
        who=row["who"], period=row["period"], what=row["what"], most=row["most"], user=user
    )


def _key(limit: Limit) -> Sequence[Any]:
    whose = ("", "") if limit.user is None else limit.user.columns.values()
    return [limit.who, *whose, limit.period, limit.what]
