"""The index that finds parts of words, in every script, beside SQLite's index of words.

Each run's folded text is kept in `run_texts`, and every one, two or three characters that stand
side by side in it are a word of the index `run_grams`. A search asks the index which runs have the
term's characters, and then looks whether their texts really have the term. SQLite's own tokenizer
`trigram` needs SQLite 3.34 and finds nothing shorter than three characters: most Chinese words have
two, an emoji one. This one works on every SQLite, which matters because processes with different
ones share the file, and costs about the same room.

Triggers note in `search_queue` which runs have changed; they are plain SQL, so that older versions
of this software, which know nothing of it all, keep the queue as well. Whoever searches works it
off, newest runs first, for a moment at the most; a server also does so in the background. Until an
old run has had its turn, it is found by whole words.
"""

from __future__ import annotations

import logging
import sqlite3
import time
import unicodedata
from contextlib import closing
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from sqlite_utils import Database

from consortium_mcp.adapters.databases.search import PART, Source
from consortium_mcp.adapters.journal.migrations import search_migrations
from consortium_mcp.core.domain.errors import StoreError
from consortium_mcp.core.domain.text import folded, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consortium_mcp.adapters.databases.database import Connection
    from consortium_mcp.adapters.journal.database import DatabaseFile

logger = logging.getLogger(__name__)
LOCK_SECONDS = 0.25
"""How long to wait for another process's write; the index can be brought up to date later."""
STEP_SECONDS = 0.05
"""How long one step holds the write lock; between two of them others can write."""
SEARCH_SECONDS = 0.5
"""How long a search works on the queue before it looks."""
STEP_RUNS = 500
FEW_RUNS = 100
"""So many are indexed before each search; of more, only some before a search now and then."""
PAUSE_SECONDS = 10.0
"""How long searches leave a long queue alone, so that they are as fast as ever."""
_SPACE = "␠"
_MOST_GRAMS = 24


class SearchIndex:
    """Keeps the index up to date, through a connection of its own that never waits long.

    Args:
        file: the journal's database.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._pause_until = 0.0

    async def words(self, terms: Sequence[str]) -> Source | None:
        """The runs that have every term as words; `None` if a term is no word."""
        query = words_query(terms)
        if query is None:
            return None
        tables = "runs_fts JOIN runs ON runs.id = runs_fts.rowid"
        return Source(tables, "runs_fts.rowid", ["runs_fts MATCH ?"], [query])

    async def parts(self, terms: Sequence[str]) -> Source | None:
        """The other runs that have every term; `None` if the index could not be made yet."""
        if not await self.refresh():
            return None
        grams, texts = parts_query(terms)
        where = ["run_grams MATCH ?", *("instr(run_texts.text, ?)" for _ in texts)]
        values = [grams, *texts]
        if (words := words_query(terms)) is not None:
            where.append("runs.id NOT IN (SELECT rowid FROM runs_fts WHERE runs_fts MATCH ?)")
            values.append(words)
        tables = (
            "run_grams CROSS JOIN runs ON runs.id = run_grams.rowid"  # in this order: filters first
            " CROSS JOIN run_texts ON run_texts.id = run_grams.rowid"
        )
        return Source(tables, "run_grams.rowid", where, values, PART)

    def forget(self, connection: Connection, ids: Iterable[int]) -> None:
        """Take runs that have just been deleted out of the index, if there is one."""
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'run_grams'").fetchone():
            reindex(connection, ids)

    async def refresh(self) -> bool:
        """Index what has changed, for `SEARCH_SECONDS` at the most.

        Returns:
            Whether there is an index; not if it could not be made yet (file locked or read-only).
        """
        waiting = await self._waiting()
        if waiting == 0:
            return True
        now = anyio.current_time()
        if waiting is None or waiting <= FEW_RUNS or now >= self._pause_until:
            await self._work(SEARCH_SECONDS)
            self._pause_until = now + PAUSE_SECONDS
        return await self._waiting() is not None

    async def index_all(self) -> None:
        """Index everything that has changed, in short steps; ends when it is done."""
        while await self._work(STEP_SECONDS):  # noqa: ASYNC110 (the queue is the database's)
            await anyio.sleep(2 * STEP_SECONDS)  # processes that write come first

    async def _waiting(self) -> int | None:
        """How many runs are to be indexed, or that it is more than few; `None`: no index yet."""
        sql = "SELECT count(*) AS waiting FROM (SELECT 1 FROM search_queue LIMIT ?)"
        try:
            rows = await self._file.read(sql, [FEW_RUNS + 1])
        except StoreError:  # there is no such table
            return None
        return int(rows[0]["waiting"])

    async def _work(self, seconds: float) -> bool:
        """Work on the queue for so long; whether more is left to do now."""

        def work() -> bool:
            uri = f"{self._file.path.absolute().as_uri()}?mode=rw"
            until = time.monotonic() + seconds
            with closing(
                sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)
            ) as connection:
                _make_tables(connection)
                while _step(connection):
                    if time.monotonic() >= until:
                        return True
            return False

        try:
            return await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)
        except sqlite3.Error as error:  # locked, read-only, full: the next search tries again
            logger.info("the search index could not be brought up to date: %s", error)
            return False


def grams(text: str) -> str:
    """The index's words for a folded text: what stands side by side, each once."""
    return " ".join(characters_of(text))


def characters_of(text: str) -> set[str]:
    """Every one, two or three characters that stand side by side in a line of a folded text."""
    found: set[str] = set()
    for line in text.replace(" ", _SPACE).splitlines():
        for size in (1, 2, 3):
            found.update(line[at : at + size] for at in range(len(line) - size + 1))
    return found


def words_query(terms: Sequence[str]) -> str | None:
    """The terms as a query of SQLite's index of words; `None` if it cannot tell one of them apart.

    That index knows letters and digits alone: to it, `C++` is `c`, an emoji is nothing, and a Thai
    vowel is a gap between two words.
    """
    if not are_words(terms):
        return None
    return " ".join(_quoted(unicodedata.normalize("NFC", term)) for term in terms)


def parts_query(terms: Iterable[str]) -> tuple[str, list[str]]:
    """The terms as a query of `run_grams`, and the texts that `run_texts` must then hold."""
    parts = parts_of(terms)
    return " ".join(_quoted(each) for each in wanted_characters(parts)), parts


def are_words(terms: Iterable[str]) -> bool:
    """Whether each term is made of whole words."""
    return all(_is_word(folded(term)) for term in terms)


def parts_of(terms: Iterable[str]) -> list[str]:
    """What the folded text of a run must hold, to have each term as a part of a word."""
    return [stem(folded(term)) for term in terms]


def wanted_characters(parts: Iterable[str]) -> list[str]:
    """Which of `characters_of` a text must have to hold these parts; of long ones, some."""
    wanted: dict[str, None] = {}
    for part in parts:
        text = part.replace(" ", _SPACE)
        every = [text[at : at + 3] for at in range(max(1, len(text) - 2))]
        wanted |= dict.fromkeys(every[:: 1 + len(every) // _MOST_GRAMS])
    return list(wanted)[:: 1 + len(wanted) // (4 * _MOST_GRAMS)]


def reindex(db: Connection, ids: Iterable[int]) -> None:
    """Bring the index up to date on these runs, also on those that are deleted."""
    for run in ids:
        known = db.execute("SELECT text FROM run_texts WHERE id = ?", [run]).fetchone()
        row = db.execute("SELECT prompt, synthesis FROM runs WHERE id = ?", [run]).fetchone()
        text = None if row is None else f"{folded(row[0])}\n{folded(row[1] or '')}"
        if known is not None and known[0] != text:
            db.execute(
                "INSERT INTO run_grams (run_grams, rowid, grams) VALUES ('delete', ?, ?)",
                [run, grams(known[0])],
            )
            db.execute("DELETE FROM run_texts WHERE id = ?", [run])
        if text is not None and (known is None or known[0] != text):
            db.execute("INSERT INTO run_texts (id, text) VALUES (?, ?)", [run, text])
            db.execute("INSERT INTO run_grams (rowid, grams) VALUES (?, ?)", [run, grams(text)])
        db.execute("DELETE FROM search_queue WHERE id = ?", [run])


def _make_tables(connection: sqlite3.Connection) -> None:
    db = Database(connection, execute_plugins=False)
    if search_migrations.pending(db):
        connection.execute("BEGIN IMMEDIATE")  # another process may be at it just now
        search_migrations.apply(db)
        connection.execute("COMMIT")


def _step(connection: sqlite3.Connection) -> bool:
    """Index runs for `STEP_SECONDS` in one transaction; whether there were any."""
    until = time.monotonic() + STEP_SECONDS
    connection.execute("BEGIN IMMEDIATE")
    ids = connection.execute(
        f"SELECT id FROM search_queue ORDER BY id DESC LIMIT {STEP_RUNS}"  # noqa: S608
    ).fetchall()
    for (run,) in ids:
        reindex(connection, [run])
        if time.monotonic() >= until:
            break
    connection.execute("COMMIT")
    return bool(ids)


def _is_word(text: str) -> bool:
    """Whether each word begins and ends with a letter or digit and has no signs or marks."""
    for word in text.split():
        kinds = [unicodedata.category(char)[0] for char in word]
        if not (kinds[0] in "LN" and kinds[-1] in "LN" and set(kinds) <= set("LNP")):
            return False
    return True


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
