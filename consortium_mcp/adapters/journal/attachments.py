"""What was attached to runs: each content is kept once, by its hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.attachment import Attachment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.databases.database import Connection, Row


def insert_attachments(db: Connection, run_id: str, attachments: Sequence[Attachment]) -> None:
    """Record what is attached to a run; what is recorded already stays as it is."""
    for position, each in enumerate(attachments):
        if each.content is not None:
            db.execute(
                "INSERT INTO attachments (sha256, type, content, text) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (sha256, type) DO UPDATE"
                " SET text = coalesce(attachments.text, excluded.text)",
                [each.sha256, each.type, each.content, each.text],
            )
        db.execute(
            "INSERT INTO run_attachments (run_id, position, name, type, url, sha256, is_text,"
            " has_text, shown_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                run_id,
                position,
                each.name,
                each.type,
                each.url,
                each.sha256,
                each.is_text,
                each.text is not None,
                json.dumps(each.shown_to),
            ],
        )


OF_RUN = (
    "SELECT name, type, url, sha256, content, is_text, shown_to,"
    " CASE WHEN has_text THEN text END AS text"
    " FROM run_attachments LEFT JOIN attachments USING (sha256, type)"
    " WHERE run_id = ? ORDER BY position"
)
"""What is attached to a run; its parameter is the run's id."""


def attachment_of(row: Row) -> Attachment:
    """One attachment of a run."""
    return Attachment.model_validate(dict(row) | {"shown_to": json.loads(row["shown_to"])})


def delete_attachments(db: Connection, in_batch: str, run_ids: Sequence[str]) -> None:
    """Delete what was attached to these runs, and the content that no other run has.

    Args:
        db: the database.
        in_batch: the condition that a row belongs to these runs, with a mark for each id.
        run_ids: the runs.
    """
    hashes = db.execute(
        f"SELECT DISTINCT sha256, type FROM run_attachments {in_batch}",  # noqa: S608 (ours)
        run_ids,
    ).fetchall()
    db.execute(f"DELETE FROM run_attachments {in_batch}", run_ids)  # noqa: S608 (ours)
    for key in hashes:
        db.execute(
            "DELETE FROM attachments WHERE sha256 = ? AND type = ? AND NOT EXISTS"
            " (SELECT 1 FROM run_attachments AS other WHERE other.sha256 = attachments.sha256"
            " AND other.type = attachments.type)",
            [key["sha256"], key["type"]],
        )
