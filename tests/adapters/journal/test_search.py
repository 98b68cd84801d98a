"""Search finds what people write: every script, parts of words, words before parts."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from consortium_mcp.adapters.journal.database import DatabaseFile
from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.search_index import FEW_RUNS, SearchIndex
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.records.run_summary import RunQuery
from tests.adapters.journal.test_store import saved
from tests.support.databases import ON_SQLITE, DatabaseOfTest, path_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

TEXTS = {
    "chinese": ("日本的首都是哪里？", "东京是日本的首都。"),
    "japanese": ("富士山の高さは何メートルですか", "約３７７６メートルです"),
    "thai": ("เมืองหลวงของประเทศไทยคืออะไร", "กรุงเทพมหานคร ทำได้"),
    "arabic": ("ما هي عاصمة الكتاب؟", "المَدْرَسَةُ والكتاب"),
    "russian": ("Какая столица Швейцарии?", "Столицей считают Берн, ещё ёлка"),
    "emoji": ("Is 🚀 launch ok?", "👍🏽 ❤️ 👨‍👩‍👧"),
    "code": ("Compare vectorizer and my_vector_store", 'C++ or C#; foo->bar 100% "x y" it\'s'),
    "word": ("vect", "a vect word"),
    "latin": ("Tiếng Việt đường", "Łódź İSTANBUL ışık Straße ÉCOLE"),
}
FOUND = {
    # Chinese and Japanese: words of one and two characters, parts, full and half width
    "首都": ["chinese"], "京": ["chinese"], "首都是": ["chinese"], "東京": [],
    "富士": ["japanese"], "メートル": ["japanese"], "ﾒｰﾄﾙ": ["japanese"], "3776": ["japanese"],
    # Thai: its vowels are no gaps between words
    "ไทย": ["thai"], "กรุงเทพ": ["thai"], "ที่": [],
    # Arabic with and without the article and the vowel points, Russian in other cases
    "كتاب": ["arabic"], "الكتاب": ["arabic"], "المدرسه": ["arabic"], "بالكتاب": ["arabic"],
    "столиц": ["russian"], "столицами": ["russian"], "Швейцария": ["russian"],
    "ЕЩЕ": ["russian"], "елка": ["russian"],
    # emoji, with and without what joins, colours and presents them
    "🚀": ["emoji"], "👍": ["emoji"], "❤": ["emoji"], "👩": ["emoji"], "😀": [],
    "🚀 launch": ["emoji"], "😀 launch": [],
    # parts of words and of identifiers; words before parts
    "vect": ["word", "code"], "VECTOR_store": ["code"], "ector": ["code"], "my store": ["code"],
    # signs are what they are
    "C++": ["code"], "c#": ["code"], "C*": [], "foo->bar": ["code"], "100%": ["code"],
    "%": ["code"], "_": ["code"], "'": ["code"], "->": ["code"],
    "launch?": ["emoji"], "(launch)": ["emoji"],
    # case and accents
    "tieng VIET duong": ["latin"], "lodz": ["latin"], "istanbul": ["latin"], "isik": ["latin"],
    "STRASSE": ["latin"], "e\u0301cole": ["latin"],
    # phrases, and quotes that are none
    '"首都是"': ["chinese"], '"my_vector_store"': ["code"], '"c# or"': [], '"or C#"': ["code"],
    '"""': [], '"launch': ["emoji"], "“x y”": ["code"],
    # nothing of it is an operator
    "launch NOT ok": [], "launch OR首都": [], "prompt:launch": [], "^launch": [], "launch*": [],
    "NEAR(launch ok)": [], "run_grams": [], "; DROP TABLE runs": [], "* - :": [],
    # hostile
    "\x00": [], "\ud800x": [], "\u200d": [], "x" * 5000: [], " ".join(map(str, range(9000))): [],
    '"' * 2001: [], "首都" * 3000: [], "(" * 3000: [],
}  # fmt: skip


@pytest.fixture
async def store(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


async def search(store: Store, words: str, **more: object) -> list[str]:
    runs, _ = await History(store).page(RunQuery(words=words, **more))  # type: ignore[arg-type]
    return [run.run_id for run in runs]


def index_of(store: Store) -> SearchIndex:
    assert isinstance(store.file, DatabaseFile)
    return store.file.search_index()


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path_of(store))) as connection:
        return connection.execute(sql).fetchall()


async def test_what_people_write_is_found(store: Store) -> None:
    for number, (prompt, synthesis) in enumerate(TEXTS.values()):
        await saved(store, number, prompt, synthesis=synthesis)
    names = {f"run-{number:04}": name for number, name in enumerate(TEXTS)}
    found = {words: [names[run] for run in await search(store, words)] for words in FOUND}
    assert found == FOUND


async def test_runs_that_no_database_holds_are_found_by_the_same_words(store: Store) -> None:
    reports = {}
    for number, (name, (prompt, synthesis)) in enumerate(TEXTS.items()):
        reports[name] = await saved(store, number, prompt, synthesis=synthesis)
    for words, expected in FOUND.items():
        query = RunQuery(words=words)
        found = {name for name, report in reports.items() if query.matches(report)}
        assert found == set(expected), words


async def test_pages_go_from_words_to_parts_without_gaps(store: Store) -> None:
    for number in range(20):
        await saved(store, number, "a cat" if number % 3 == 0 else "concatenate")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = await History(store).page(RunQuery(limit=3, words="cat", cursor=cursor))
        seen += [run.run_id for run in page]
        if cursor is None:
            break
    words = [number for number in reversed(range(20)) if number % 3 == 0]
    parts = [number for number in reversed(range(20)) if number % 3]
    assert seen == [f"run-{number:04}" for number in [*words, *parts]]


async def test_filters_hold_for_parts_too(store: Store) -> None:
    await saved(store, 1, "concatenate", status="completed")
    await saved(store, 2, "concatenate", status="failed")
    assert await search(store, "cat", status="failed") == ["run-0002"]


async def test_a_run_is_found_by_what_it_says_now(store: Store) -> None:
    report = await saved(store, 1, "How many?", synthesis="fortyone")
    assert await search(store, "tyon") == ["run-0001"]
    await store.save_report(report.model_copy(update={"synthesis": "fortytwo"}))
    assert await search(store, "tyon") == []
    assert await search(store, "tytw") == ["run-0001"]


async def test_words_of_any_length_are_found(store: Store) -> None:
    long = "".join(map(str, range(4000)))
    await saved(store, 1, f"before {long} after", synthesis="東" * 5000)
    await saved(store, 2, f"{long[:-1]}")
    assert await search(store, long) == ["run-0001"]
    assert await search(store, long[:500]) == ["run-0002", "run-0001"]
    assert await search(store, "東" * 4000) == ["run-0001"]
    assert await search(store, "after") == ["run-0001"]


async def test_a_pruned_run_is_found_no_more(store: Store) -> None:
    await saved(store, 1, "秘密 words", status="completed")
    assert await search(store, "秘") == await search(store, "words") == ["run-0001"]
    assert (await History(store).prune("9999")).runs == 1
    await saved(store, 2, "another")
    assert await search(store, "秘") == await search(store, "words") == []


@ON_SQLITE
async def test_nothing_of_a_pruned_run_stays_in_the_index(store: Store) -> None:
    await saved(store, 1, "秘密", status="completed")
    assert await search(store, "秘") == ["run-0001"]
    assert (await History(store).prune("9999")).runs == 1
    assert rows(store, "SELECT * FROM run_texts") == []
    assert rows(store, "SELECT * FROM search_queue") == []
    assert rows(store, "SELECT rowid FROM run_grams WHERE run_grams MATCH '\"秘\"'") == []
    await saved(store, 2, "another")  # gets the key of the deleted one
    assert await search(store, "秘") == []


OLDER_WRITE = (
    "INSERT INTO runs (run_id, status, strategy, prompt, config, members, seed, report,"
    " created_at) SELECT 'old-' || value, 'completed', 'vote', '首都' || value, config, members,"
    " seed, report, created_at FROM runs, json_each(?) LIMIT ?"
)


async def older_runs(store: Store, runs: int) -> None:
    """Runs as a program that knows nothing of the index writes them."""
    await saved(store, 1, "the first", status="completed")
    await store.close()
    with closing(sqlite3.connect(path_of(store))) as connection, connection:
        connection.execute(OLDER_WRITE, [str([*range(runs)]), runs])


@ON_SQLITE
async def test_runs_of_an_older_version_are_found_before_and_after(store: Store) -> None:
    await older_runs(store, 5)  # before there is an index
    assert len(await search(store, "首都")) == 5
    with closing(sqlite3.connect(path_of(store))) as connection, connection:
        connection.execute("UPDATE runs SET prompt = '東京' WHERE run_id = 'old-1'")
        connection.execute("DELETE FROM runs WHERE run_id = 'old-2'")
    assert len(await search(store, "首都")) == 3
    assert await search(store, "東京") == ["old-1"]
    migrations = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'consortium_mcp'"
    assert rows(store, migrations) == [(5,)]  # more, and older versions would refuse the file


@ON_SQLITE
async def test_a_long_queue_does_not_slow_searches_down_and_is_worked_off(store: Store) -> None:
    await older_runs(store, FEW_RUNS * 30)
    index = index_of(store)
    index._pause_until = anyio.current_time() + 3600
    assert await index.refresh()  # makes the tables
    queue = "SELECT count(*) FROM search_queue"
    before = rows(store, queue)
    assert await index.refresh()
    assert rows(store, queue) == before  # searching did not stop for it
    await index.index_all()
    assert rows(store, queue) == [(0,)]
    assert len(await search(store, "首都", limit=100)) == 100


@ON_SQLITE
async def test_a_search_neither_waits_nor_fails_while_the_file_is_locked(store: Store) -> None:
    await saved(store, 1, "首都 sky")
    other = sqlite3.connect(path_of(store), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert await search(store, "sky") == ["run-0001"]
        assert await search(store, "首") == []  # not indexed yet
    finally:
        other.close()
    assert await search(store, "首") == ["run-0001"]


def _index(path: Path) -> None:
    async def index() -> None:
        store = Store(path)
        while rows(store, "SELECT 1 FROM sqlite_master WHERE name = 'search_queue'") == [] or rows(
            store, "SELECT 1 FROM search_queue LIMIT 1"
        ):
            await index_of(store).index_all()  # ends early where another has the lock
        await store.close()

    anyio.run(index)


async def begun(store: Store) -> bool:
    made = rows(store, "SELECT 1 FROM sqlite_master WHERE name = 'run_texts'")
    return bool(made and rows(store, "SELECT 1 FROM run_texts LIMIT 1"))


@ON_SQLITE
async def test_processes_that_index_at_once_and_one_that_dies_leave_a_whole_index(
    store: Store,
) -> None:
    await older_runs(store, 3000)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_index, args=(path_of(store),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    with anyio.fail_after(60):
        while not await begun(store):  # noqa: ASYNC110 (other processes cannot set an event)
            await anyio.sleep(0.01)
    workers[0].kill()
    for worker in workers:
        await anyio.to_thread.run_sync(worker.join)
    assert [worker.exitcode for worker in workers[1:]] == [0, 0]
    assert rows(store, "SELECT count(*) FROM run_texts") == [(3001,)]
    matching = "SELECT count(*) FROM run_grams WHERE run_grams MATCH '\"首都\"'"
    assert rows(store, matching) == [(3000,)]
