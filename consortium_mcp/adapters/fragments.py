"""llm's fragments: the saved ones, and what else `llm -f` can load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llm
import sqlite_utils

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


def fragment_texts(names: Sequence[str], *, only_saved: bool) -> list[str]:
    """The texts of these fragments.

    Args:
        names: as `llm -f` takes them.
        only_saved: take none but those that the user has saved, by alias or hash: for callers that
            are models. Otherwise also paths, URLs and what plugins load.

    Raises:
        ConfigError: one is not there or cannot be loaded; or it is not saved, and must be.
    """
    if not names:
        return []
    try:
        from llm.cli import resolve_fragments  # noqa: PLC0415 (it takes a second to load)
        from llm.migrations import migrate  # noqa: PLC0415 (with it)

        path = llm.user_dir() / "logs.db"  # type: ignore[no-untyped-call]
        with sqlite_utils.Database(path) as db:
            migrate(db)  # type: ignore[no-untyped-call]
            if only_saved:
                return [_saved(db, name) for name in names]
            return [str(each) for each in resolve_fragments(db, names)]
    except ConfigError:
        raise
    except Exception as error:  # llm's loaders raise what SQLite, httpx and plugins do
        raise ConfigError(f"A fragment cannot be loaded: {error}") from error


def _saved(db: sqlite_utils.Database, name: str) -> str:
    rows = db.query(
        "SELECT content FROM fragments LEFT JOIN fragment_aliases"
        " ON fragments.id = fragment_aliases.fragment_id WHERE alias = :name OR hash = :name",
        {"name": name},
    )
    for row in rows:
        return str(row["content"])
    raise ConfigError(
        f"No fragment is saved as {name!r}. Here only saved ones are taken: its user can save it "
        f"on the command line, `llm fragments set NAME {name}`, and use that NAME."
    )
