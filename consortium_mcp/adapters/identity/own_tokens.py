"""Tokens that this server makes itself, for teams without an identity provider.

A token is 32 random bytes, so that its plain SHA-256 gives nothing away and is what is kept. It is
shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from consortium_mcp.adapters.identity.identity import SCOPES, Identity, Scope
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from consortium_mcp.adapters.databases.database import Connection, Database

PREFIX = "consortium_"
"""Tells these tokens from others, also to programs that look for secrets in source code."""
ISSUER = "tokens"
"""The issuer of whoever has such a token; their subject is the token's name."""


class OwnToken(Value):
    """A token, as it is listed."""

    name: str
    scopes: tuple[str, ...]
    created_at: str
    """ISO 8601, UTC, as all times here."""
    expires_at: str | None
    revoked_at: str | None


class OwnTokens:
    """The tokens of one installation.

    Args:
        database: holds them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, name: str, scopes: Sequence[Scope] = ("consult", "read"), age: timedelta | None = None
    ) -> str:
        """Make a token; it cannot be shown again.

        Args:
            name: whose it is. What they do is theirs under this name, also with a later token.
            scopes: what they may do.
            age: how long it is good for; `None` for ever.

        Raises:
            ConfigError: there is a good token of this name, or a word is no scope.
        """
        if unknown := [each for each in scopes if each not in SCOPES]:
            raise ConfigError(f"{unknown[0]!r} is no scope. Choose from {', '.join(SCOPES)}.")
        if not name.strip() or len(name) > 200:  # noqa: PLR2004 (longer is no name)
            raise ConfigError("A token needs a name of at most 200 characters: whose it is.")
        token = PREFIX + secrets.token_urlsafe(32)
        now = datetime.fromtimestamp(self._database.clock(), UTC)
        expires_at = None if age is None else _text(now + age)

        def write(db: Connection) -> bool:
            db.execute(
                "UPDATE tokens SET revoked_at = expires_at"
                " WHERE name = ? AND revoked_at IS NULL AND expires_at <= ?",
                [name, _text(now)],
            )
            added = db.execute(
                "INSERT INTO tokens (hash, name, scopes, created_at, expires_at)"
                " SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS"
                " (SELECT 1 FROM tokens WHERE name = ? AND revoked_at IS NULL)",
                [_hash(token), name, json.dumps(list(scopes)), _text(now), expires_at, name],
            )
            return added.rowcount == 1

        if not await self._database.write(write):
            raise ConfigError(
                f"There is a token for {name!r} already. Revoke it first: "
                f"`consortium-mcp tokens revoke {name}`."
            )
        return token

    async def all(self) -> list[OwnToken]:
        """Every token, the newest first."""
        rows = await self._database.read(
            "SELECT name, scopes, created_at, expires_at, revoked_at FROM tokens ORDER BY id DESC"
        )
        return [
            OwnToken(**dict(row) | {"scopes": tuple(json.loads(row["scopes"]))}) for row in rows
        ]

    async def any(self) -> bool:
        """Whether a token was ever made."""
        return bool(await self._database.read("SELECT 1 AS found FROM tokens LIMIT 1"))

    async def revoke(self, name: str) -> None:
        """Let a token be good for nothing, at once and on every server.

        Raises:
            ConfigError: no good token has this name.
        """
        now = _text(datetime.fromtimestamp(self._database.clock(), UTC))
        revoked = await self._database.write(
            lambda db: (
                db.execute(
                    "UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL",
                    [now, name],
                ).rowcount
            )
        )
        if not revoked:
            raise ConfigError(f"No token has the name {name!r}: `consortium-mcp tokens list`.")

    async def identity(self, token: str) -> Identity | None:
        """Whose token it is; `None` if it is no good one.

        Raises:
            StoreError: the database cannot be read.
        """
        now = _text(datetime.fromtimestamp(self._database.clock(), UTC))
        rows = await self._database.read(
            "SELECT name, scopes, expires_at FROM tokens WHERE hash = ? AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > ?)",
            [_hash(token), now],
        )
        if not rows:
            return None
        row = rows[0]
        ends = row["expires_at"]
        return Identity(
            principal=Principal(issuer=ISSUER, subject=row["name"]),
            name=row["name"],
            scopes=frozenset(json.loads(row["scopes"])),
            expires_at=None if ends is None else int(datetime.fromisoformat(ends).timestamp()),
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
