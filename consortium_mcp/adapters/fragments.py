"""llm's fragments: the saved ones, and what else `llm -f` can load."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import llm
import sqlite_utils

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def fragment_texts(names: Sequence[str], *, only_saved: bool) -> list[str]:
    """The texts of these fragments.

    Args:
        names: as `llm -f` takes them.
        only_saved: take none but those that the user has saved, by alias or hash: for callers that
            are models. Otherwise also paths, URLs and what plugins load.

    Raises:
        ConfigError: one is not there or cannot be loaded; or it is not saved, and must be.
    """
    if only_saved and names:
        with llms_log() as db:
            return [_saved(db, name) for name in names]
    return [str(each) for each in load_fragments(names, with_attachments=False)]


def load_fragments(names: Sequence[str], *, with_attachments: bool = True) -> list[Any]:
    """These fragments, as `llm -f` takes them: texts with a `source`, and llm's attachments.

    Raises:
        ConfigError: one cannot be loaded, or is an attachment where only texts are wanted.
    """
    if not names:
        return []
    from llm.cli import resolve_fragments  # noqa: PLC0415 (it takes a second to load)

    try:
        with llms_log() as db:
            return [*resolve_fragments(db, names, allow_attachments=with_attachments)]
    except Exception as error:  # llm's loaders raise what SQLite, httpx and plugins do
        raise ConfigError(f"A fragment cannot be loaded: {error}") from error


@contextmanager
def llms_log() -> Iterator[sqlite_utils.Database]:
    """Llm's log, which holds the saved fragments; an empty one where llm has none yet."""
    from llm.migrations import migrate  # noqa: PLC0415 (it takes a second to load)

    path = llm.user_dir() / "logs.db"  # type: ignore[no-untyped-call]
    with sqlite_utils.Database(path if path.exists() else ":memory:") as db:
        migrate(db)  # type: ignore[no-untyped-call]
        yield db


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
