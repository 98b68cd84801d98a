"""Users' own keys of providers: encrypted in the database, and never shown again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from consortium_mcp.adapters.databases.database import Connection, Database
    from consortium_mcp.adapters.team.encryption import Encryption
    from consortium_mcp.core.domain.principal import Principal

PURPOSE = "users' keys"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SHORTEST_KEY = 12
"""No provider gives shorter ones; what is shorter is a word, such as the name of another key."""
_LONGEST_KEY = 8_000


@dataclass(frozen=True)
class KeyOfUser:
    """A key, by what may be shown of it."""

    name: str
    """As llm calls it: `openai`, `anthropic`, …"""
    created_at: datetime


class UserKeys:
    """The keys in a team's database.

    Args:
        database: a team's. Its errors are those of `databases.database.Database`.
        encryption: encrypts them.
    """

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    async def set(self, principal: Principal, name: str, key: str) -> None:
        """Keep a key, in the place of the one with this name.

        Raises:
            ConfigError: it is no key, or has no possible name.
        """
        key = key.strip()
        checked_name(name)
        if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY or not key.isprintable():
            raise ConfigError(
                "This is no key of a provider: it must be one line of "
                f"{_SHORTEST_KEY} to {_LONGEST_KEY:,} characters."
            )
        token = self._encryption.encrypted(json.dumps([*_place(principal, name), key]))
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO user_keys (issuer, subject, name, ciphertext) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (issuer, subject, name) DO UPDATE SET"
                " ciphertext = excluded.ciphertext, created_at = now()",
                [*_place(principal, name), token],
            )
        )

    async def remove(self, principal: Principal, name: str) -> bool:
        """Forget a key; whether there was one."""

        def write(db: Connection) -> bool:
            gone = db.execute(
                "DELETE FROM user_keys WHERE issuer = ? AND subject = ? AND name = ?",
                _place(principal, name),
            )
            return gone.rowcount > 0

        return await self._database.write(write)

    async def all(self, principal: Principal) -> list[KeyOfUser]:
        """A user's keys by their names."""
        rows = await self._database.read(
            "SELECT name, created_at FROM user_keys WHERE issuer = ? AND subject = ? ORDER BY name",
            [*principal.columns.values()],
        )
        return [KeyOfUser(row["name"], row["created_at"]) for row in rows]

    async def key(self, principal: Principal, name: str) -> str | None:
        """A user's key; `None` where they have given none.

        Raises:
            ConfigError: it cannot be decrypted.
        """
        rows = await self._database.read(
            "SELECT ciphertext FROM user_keys WHERE issuer = ? AND subject = ? AND name = ?",
            _place(principal, name),
        )
        if not rows:
            return None
        text = self._encryption.decrypted(rows[0]["ciphertext"])
        *place, key = ["", "", "", None] if text is None else json.loads(text)
        if key is None or place != _place(principal, name):  # the row of somebody else's
            raise ConfigError(
                f"Your key {name} was encrypted with a secret that this server does not have. Give "
                "the key anew; or let your admin put the former secret behind the new one in "
                "CONSORTIUM_SECRET, with a comma between them."
            )
        return str(key)


def checked_name(name: str) -> str:
    """The name of a key.

    Raises:
        ConfigError: no key has such a name.
    """
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            "Name the key as llm does, such as openai or anthropic: letters, digits, `-`, `_`, `.`."
        )
    return name


def _place(principal: Principal, name: str) -> list[str]:
    return [principal.issuer, principal.subject, name]
