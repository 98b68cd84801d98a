"""Saved consortiums, by name, in the journal's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import UnknownConsortium
from consortium_mcp.core.domain.text import closest

if TYPE_CHECKING:
    from consortium_mcp.adapters.journal.store import Store


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
        values = [config.name, config.model_dump_json(exclude_none=True), now(), now()]
        await self._store.file.write(
            lambda db: db.execute(
                "INSERT INTO consortiums (name, config, created_at, updated_at)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
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
        """Every saved consortium, sorted by name."""
        rows = await self._store.file.read("SELECT config FROM consortiums ORDER BY name")
        return [ConsortiumConfig.model_validate_json(row["config"]) for row in rows]

    async def delete(self, name: str) -> None:
        """Delete a saved consortium; its runs stay.

        Raises:
            UnknownConsortium: there is none of this name.
        """
        await self.find(name)
        await self._store.file.write(
            lambda db: db.execute("DELETE FROM consortiums WHERE name = ?", [name])
        )
