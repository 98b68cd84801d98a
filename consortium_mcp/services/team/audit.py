"""What is noted of a user's deeds, and what an admin sees of all users.

Neither has texts, but for the runs that an admin reads where the installation allows it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.team.audit_log import Action, AuditLog
from consortium_mcp.adapters.team.ledger import Ledger, UserSpending
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.team.audit_log import AuditPage
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.core.records.run_record import RunRecord


class Note(Protocol):
    """Notes what a user did; never fails."""

    async def __call__(
        self,
        action: Action,
        target: str | None = None,
        detail: Mapping[str, Any] | None = None,
        /,
    ) -> None:
        """Note it.

        Args:
            action: what was done.
            target: a run's id, or a name.
            detail: what else is worth knowing; no texts.
        """
        ...


def notes_of(log: AuditLog, principal: Principal) -> Note:
    """Notes what this user did."""
    return partial(log.note, principal)


class Administration:
    """What an admin sees.

    Args:
        database: a team's. Its errors are those of `databases.database.Database`.
    """

    def __init__(self, database: Database) -> None:
        self._store = Store(database)
        self._log = AuditLog(database)
        self._ledger = Ledger(database)

    async def audit(
        self, since: datetime | None = None, limit: int = 100, cursor: str | None = None
    ) -> AuditPage:
        """See `AuditLog.page`."""
        return await self._log.page(since, limit, cursor)

    async def usage(self, period: str, principal: Principal | None = None) -> list[UserSpending]:
        """What each user's runs have used, by what they used.

        Args:
            period: a month or day in UTC, such as `2026-11` or `2026-11-29`.
            principal: one user; `None` for all.

        Raises:
            ConfigError: there is no such period.
        """
        return await self._ledger.spending(*days_of(period), principal)

    async def run(self, run_id: str, admin: Principal) -> RunRecord:
        """A run of whomever, with its texts. That this admin reads it is noted, or they do not.

        Raises:
            UnknownRun: no run has this id.
        """
        record = await self._store.record(run_id)
        await self._log.note(admin, "text_read", run_id, required=True)
        return record


def days_of(period: str) -> tuple[str, str]:
    """The first and the last day of a month or day.

    Raises:
        ConfigError: there is no such period.
    """
    why = f"{period!r} is no period. Write a month such as 2026-11, or a day such as 2026-11-29."
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?", period, re.ASCII)
    if found is None:
        raise ConfigError(why)
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    try:
        first = date(year, month, day)
    except ValueError:
        raise ConfigError(why) from None
    last = first if found[3] else first.replace(day=monthrange(year, month)[1])
    return first.isoformat(), last.isoformat()
