"""Tells the clients of this server of runs that have ended on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import StoreError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.reports.uris import report_uri, resource_uri

if TYPE_CHECKING:
    from collections.abc import Collection

    from consortium_mcp.adapters.postgres.database import PostgresDatabase
    from consortium_mcp.frontends.mcp.protocol.subscriptions import ChangeNotifier


class News:
    """Listens to the database for those who listen here.

    Args:
        database: the team's.
        owner: marks the runs of this process, which tells of them by itself.
        notifier: tells clients.
    """

    def __init__(self, database: PostgresDatabase, owner: str, notifier: ChangeNotifier) -> None:
        self._database = database
        self._owner = owner
        self._notifier = notifier

    async def run(self) -> None:
        """Tell, until cancelled."""
        async with self._database.hearing() as heard:
            while True:
                runs = await heard()
                if runs and self._notifier.bus.listening():
                    await self._tell(runs)

    async def _tell(self, runs: Collection[str]) -> None:
        marks = ", ".join("?" for _ in runs)
        try:
            rows = await self._database.read(
                "SELECT run_id, issuer, subject, visibility FROM runs"  # noqa: S608 (marks)
                f" WHERE run_id IN ({marks}) AND status <> 'working' AND owner <> ?",
                [*runs, self._owner],
            )
        except StoreError:  # notifications may be missed; clients ask again
            return
        for row in rows:
            whose = Principal(issuer=row["issuer"], subject=row["subject"])
            for who in self._notifier.bus.listening():
                if who == whose or row["visibility"] in who.sees:
                    uris = resource_uri(row["run_id"]), report_uri(row["run_id"])
                    await self._notifier.announce(who, *uris)
