"""Templates and fragments as llm's user saves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlite_utils
from llm.migrations import migrate

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings


def save_template(settings: Settings, name: str, text: str) -> Path:
    """What `llm templates edit NAME` saves."""
    page = settings.user_dir / "templates" / f"{name}.yaml"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return page


def save_fragment(settings: Settings, alias: str, content: str) -> None:
    """What `llm fragments set ALIAS` saves; its hash is the alias twice."""
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    with sqlite_utils.Database(settings.user_dir / "logs.db") as db:
        migrate(db)  # type: ignore[no-untyped-call]
        row = db["fragments"].insert({"hash": alias * 2, "content": content}, pk="id")
        db["fragment_aliases"].insert({"alias": alias, "fragment_id": row.last_pk})
