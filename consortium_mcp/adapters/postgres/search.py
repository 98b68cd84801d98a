"""The index that finds words and parts of words, in every script, without any extension.

PostgreSQL's own search needs to know the language of a text and knows no words of Chinese, Japanese
or Thai; its extension pg_trgm finds nothing shorter than three characters. So it is done as on
SQLite: each run's folded text is kept with every one, two or three characters that stand side by
side in it, and an index of these (GIN, on an array). A search asks the index which runs have the
term's characters, and then looks whether their texts really have the term. Whole words have their
own index: else a term that is a part of most words would have all runs looked through for it.

Triggers note in `search_queue` which runs have changed; whoever searches works it off, newest runs
first, for a moment at the most, and a server in its spare time.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.databases.search import PART, Source
from consortium_mcp.adapters.journal.search_index import (
    are_words,
    characters_of,
    parts_of,
    wanted_characters,
)
from consortium_mcp.core.domain.errors import StoreError
from consortium_mcp.core.domain.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consortium_mcp.adapters.databases.database import Connection, Database

logger = logging.getLogger(__name__)
SEARCH_SECONDS = 0.5
"""How long a search works on the queue before it looks."""
STEP_RUNS = 100
"""Runs indexed in one transaction."""
PAUSE_SECONDS = 0.01
"""Between two steps in a server's spare time."""
_LONGEST_WORD = 100
"""Characters of a word that are in the index: PostgreSQL refuses words of kilobytes, such as an
encoded file."""
_WORD = re.compile(r"[^\W_]+")
_FROM = "run_texts JOIN runs ON runs.id = run_texts.id"
_HAS_CHARACTERS = "run_texts.grams @> CAST(? AS text[])"
_HAS_EACH_WORD = "run_texts.vocabulary @> CAST(? AS text[])"
_HAS_WORDS = "strpos(run_texts.words, ?) > 0"
_HAS_TEXT = "strpos(run_texts.text, ?) > 0"


class PostgresIndex:
    """See `databases.search.SearchIndex`.

    Args:
        database: holds the runs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def words(self, terms: Sequence[str]) -> Source | None:
        """The runs that have every term as words; `None` if a term is no word."""
        await self._refresh()
        if not are_words(terms):
            return None
        words, phrases = _words_wanted(terms)
        where = [_HAS_EACH_WORD, *(_HAS_WORDS for _ in phrases)]
        return Source(_FROM, "runs.id", where, [words, *phrases])

    async def parts(self, terms: Sequence[str]) -> Source | None:
        """The other runs that have every term."""
        parts = parts_of(terms)
        where = [_HAS_CHARACTERS, *(_HAS_TEXT for _ in parts)]
        values = [wanted_characters(parts), *parts]
        if are_words(terms):
            _, phrases = _words_wanted(terms)
            where.append(f"NOT ({' AND '.join(_HAS_WORDS for _ in phrases)})")
            values += phrases
        return Source(_FROM, "runs.id", where, values, PART)

    async def index_all(self) -> None:
        """Index everything that has changed, in short steps; ends when it is done."""
        try:
            while await self._database.write(_step):  # noqa: ASYNC110 (the queue is the database's)
                await anyio.sleep(PAUSE_SECONDS)
        except StoreError as error:
            logger.info("the search index could not be brought up to date: %s", error)

    def forget(self, connection: Connection, ids: Iterable[int]) -> None:
        """Take runs that have just been deleted out of the index."""
        gone = [[*ids]]
        # The queue first: it waits for whoever is indexing one of them just now.
        connection.execute("DELETE FROM search_queue WHERE id = ANY (?)", gone)
        connection.execute("DELETE FROM run_texts WHERE id = ANY (?)", gone)

    async def _refresh(self) -> None:
        """Index what has changed, for `SEARCH_SECONDS` at the most."""
        until = time.monotonic() + SEARCH_SECONDS
        try:
            if await self._database.read("SELECT 1 FROM search_queue LIMIT 1"):
                while await self._database.write(_step) and time.monotonic() < until:
                    pass
        except StoreError as error:  # locked, read-only, full: the next search tries again
            logger.info("the search index could not be brought up to date: %s", error)


def _words_wanted(terms: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that a run must have, and those that must stand side by side."""
    phrases = [_words_of(folded(term)) for term in terms]
    return sorted({word for phrase in phrases for word in _vocabulary(phrase)}), phrases


def _words_of(text: str) -> str:
    """The words of a folded text, each between two spaces."""
    return f" {' '.join(_WORD.findall(text))} "


def _vocabulary(words: str) -> list[str]:
    """Each of the words once, as the index holds them."""
    return sorted({word[:_LONGEST_WORD] for word in words.split()})


def _step(connection: Connection) -> bool:
    """Index some runs of the queue; whether there were any."""
    taken = connection.execute(
        "DELETE FROM search_queue WHERE id IN"
        " (SELECT id FROM search_queue ORDER BY id DESC LIMIT ? /* FOR UPDATE */) RETURNING id",
        [STEP_RUNS],
    ).fetchall()
    ids = [row["id"] for row in taken]
    runs = connection.execute("SELECT id, prompt, synthesis FROM runs WHERE id = ANY (?)", [ids])
    for run in runs.fetchall():
        text = f"{folded(run['prompt'])}\n{folded(run['synthesis'] or '')}"
        words = _words_of(text)
        connection.execute(
            "INSERT INTO run_texts (id, text, words, vocabulary, grams) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET text = excluded.text, words = excluded.words,"
            " vocabulary = excluded.vocabulary, grams = excluded.grams",
            [run["id"], text, words, _vocabulary(words), sorted(characters_of(text))],
        )
    return bool(ids)
