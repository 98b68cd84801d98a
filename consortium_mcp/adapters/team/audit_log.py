"""The audit log: who did what, and when. It has no texts: no prompts, answers, keys or tokens."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from consortium_mcp.core.domain.errors import ConfigError, StoreError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.adapters.databases.database import Database

logger = logging.getLogger(__name__)
Action = Literal[
    "consult", "resume", "cancel", "delete", "share", "save_consortium", "delete_consortium",
    "key_set", "key_removed", "token_added", "token_revoked", "budget_refused", "budget_changed",
    "sign_in_refused", "text_read",
]  # fmt: skip
LONGEST_PAGE = 1000


class AuditEntry(Value):
    """One thing that somebody did."""

    id: int
    at: datetime
    user: Principal
    action: str
    target: str | None
    """What it was done to: a run's id, a consortium's, key's or token's name."""
    detail: dict[str, Any]


class AuditPage(Value):
    """Some of the log, newest first."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None


class AuditLog:
    """The log in a team's database.

    Args:
        database: a team's. Its errors are those of `databases.database.Database`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self,
        principal: Principal,
        action: Action,
        target: str | None = None,
        detail: Mapping[str, Any] | None = None,
        *,
        required: bool = False,
    ) -> None:
        """Write down what somebody did. A database that fails is only logged: an answer goes on.

        Args:
            principal: who did it.
            action: what they did.
            target: what it was done to.
            detail: what else is worth knowing; no texts.
            required: whether it must not be done unseen.

        Raises:
            StoreError: it is required, and could not be written.
        """
        try:
            await self._database.write_one(
                "INSERT INTO audit_log (issuer, subject, action, target, detail)"
                " VALUES (?, ?, ?, ?, ?)",
                [*principal.columns.values(), action, target, json.dumps(detail or {})],
            )
        except StoreError as error:
            if required:
                raise
            logger.warning("the audit log lacks: %s %s: %s", action, target, error)

    async def page(
        self, since: datetime | None = None, limit: int = 100, cursor: str | None = None
    ) -> AuditPage:
        """A page of the log, newest first.

        Args:
            since: nothing older.
            limit: entries of a page, at most 1,000.
            cursor: the `next_cursor` of the page before.

        Raises:
            ConfigError: the limit or the cursor is invalid.
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise ConfigError(f"limit is {limit}; it must be from 1 to {LONGEST_PAGE}.")
        if cursor is not None and not (cursor.isdecimal() and len(cursor) < 19):  # noqa: PLR2004 (of a bigint)
            raise ConfigError(f"{cursor!r} is no cursor. Pass the next_cursor of the page before.")
        conditions, values = ["true"], list[Any]()
        if since is not None:
            conditions.append("at >= ?")
            values.append(since)
        if cursor is not None:
            conditions.append("id < ?")
            values.append(int(cursor))
        rows = await self._database.read(
            "SELECT id, at, issuer, subject, action, target, detail FROM audit_log"  # noqa: S608 (conditions are ours)
            f" WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",
            [*values, limit + 1],
        )
        entries = tuple(
            AuditEntry(
                id=row["id"],
                at=row["at"],
                user=Principal(issuer=row["issuer"], subject=row["subject"]),
                action=row["action"],
                target=row["target"],
                detail=json.loads(row["detail"]),
            )
            for row in rows[:limit]
        )
        return AuditPage(
            entries=entries, next_cursor=str(entries[-1].id) if len(rows) > limit else None
        )
