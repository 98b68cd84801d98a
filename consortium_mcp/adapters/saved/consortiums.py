"""Saved consortiums, by name, in the journal's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import NotYours, UnknownConsortium
from consortium_mcp.core.domain.principal import LOCAL
from consortium_mcp.core.domain.text import closest

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.principal import Principal, Visibility


class SavedConsortiums:
    """Reads and writes them. Errors are those of `database.DatabaseFile`.

    Args:
        store: the database that holds them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, config: ConsortiumConfig) -> None:
        """Save a consortium under its name; it replaces any other of that name."""
        # As for runs: without what is not set, so that older versions can read it.
        whose = self._store.access.principal
        written = config.model_dump_json(exclude_none=True)
        values = [_key(str(config.name), whose), written, now(), now(), *whose.columns.values()]
        await self._store.file.write(
            lambda db: db.execute(
                "INSERT INTO consortiums (name, config, created_at, updated_at, issuer, subject)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET config = excluded.config, updated_at = excluded.updated_at",
                values,
            )
        )

    async def find(self, name: str) -> ConsortiumConfig:
        """The saved consortium of this name.

        Raises:
            UnknownConsortium: there is none; the message lists the closest names.
        """
        saved = {str(config.name): config for config in await self.all()}
        if name not in saved:
            near = closest(name, saved) or list(saved)[:5]
            hint = f"Saved: {', '.join(near)}." if near else "None is saved yet."
            raise UnknownConsortium(f"No consortium is saved as {name!r}. {hint}")
        return saved[name]

    async def all(self) -> list[ConsortiumConfig]:
        """Every saved consortium that may be read, sorted by name.

        Of several with one name there is one: one's own, or else the one that was saved first.
        """
        condition, values = self._store.access.may_read("consortiums")
        own, whose = self._store.access.own("consortiums")
        rows = await self._store.file.read(
            f"SELECT config FROM consortiums WHERE {condition}"  # noqa: S608 (ours)
            f" ORDER BY CASE WHEN {own} THEN 1 ELSE 0 END, created_at DESC",
            [*values, *whose],
        )
        found = (ConsortiumConfig.model_validate_json(row["config"]) for row in rows)
        by_name = {str(config.name): config for config in found}
        return [by_name[name] for name in sorted(by_name)]

    async def share(self, name: str, visibility: Visibility) -> None:
        """Let others use a consortium of one's own, or no longer.

        Raises:
            UnknownConsortium: there is none of this name.
            NotYours: it is somebody else's.
        """
        await self.find(name)
        await self._change("UPDATE consortiums SET visibility = ?", [visibility], name)

    async def visibility(self, name: str) -> Visibility | None:
        """Who may use a consortium besides its owner; `None` where it is not one's own to share.

        Neither is one person's: there is nobody else.
        """
        whose = self._store.access.principal
        if whose == LOCAL:
            return None
        sql = "SELECT visibility FROM consortiums WHERE name = ?"
        rows = await self._store.file.read(sql, [_key(name, whose)])
        return rows[0]["visibility"] if rows else None

    async def _change(self, change: str, values: list[str], name: str) -> None:
        key = _key(name, self._store.access.principal)

        def write(db: Connection) -> bool:
            return db.execute(f"{change} WHERE name = ?", [*values, key]).rowcount == 1

        if not await self._store.file.write(write):
            raise NotYours(
                f"The consortium {name!r} is somebody else's, who lets you use it. Only they may "
                "change it; save your own under the same name to use that instead."
            )

    async def delete(self, name: str) -> None:
        """Delete a saved consortium; its runs stay.

        Raises:
            UnknownConsortium: there is none of this name.
            NotYours: it is somebody else's.
        """
        await self.find(name)
        await self._change("DELETE FROM consortiums", [], name)


def _key(name: str, whose: Principal) -> str:
    """What the column `name` holds, which is unique among all users.

    For the local user it is the name alone, as it was before there were others.
    """
    return name if whose == LOCAL else f"{name}\n{whose.issuer}\n{whose.subject}"
