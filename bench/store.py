"""How fast the journal answers with a million runs in it.

    uv run python -m bench.store [--runs 1000000] [--file PATH | --url postgresql://…]

With --url it measures a team's journal on a PostgreSQL database, empty or filled by an earlier run.
The database is filled with plain SQL once (some minutes; kept in PATH if given), with prompts and
syntheses of words that are as frequent as those of a language: the n-th in proportion to 1/n.
Then the parts of words are indexed, as a server does in its spare time.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import psycopg

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import run_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

WORDS = [f"word{number}" for number in range(1, 20_001)]
WEIGHTS = list(accumulate(1 / number for number in range(1, 20_001)))
TRIES = 200


INSERT = (
    "runs (run_id, status, consortium, strategy, prompt, synthesis, final_answer, confidence,"
    " agreement, config, members, seed, report, created_at)"
)


def filled(database: Path | str, runs: int) -> None:
    """Fill the database with so many runs."""
    anyio.run(_checked, database)
    rows = _rows(runs)
    if isinstance(database, str):
        with psycopg.connect(database) as there, there.cursor() as cursor:
            there.execute("SET LOCAL synchronous_commit = off")
            with cursor.copy(f"COPY {INSERT} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        with psycopg.connect(database, autocommit=True) as there:
            there.execute("ANALYZE")
        return
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous = OFF")
    with connection:
        marks = ",".join("?" * 14)
        connection.executemany(f"INSERT INTO {INSERT} VALUES ({marks})", rows)  # noqa: S608
    connection.close()


async def _checked(database: Path | str) -> None:
    store = opened(database)
    await store.check()
    await store.close()


def opened(database: Path | str) -> Store:
    """The journal in a file, or at a URL."""
    return Store(PostgresDatabase(database) if isinstance(database, str) else database)


def size_mb(database: Path | str) -> int:
    """How much room it takes."""
    if isinstance(database, Path):
        return database.stat().st_size >> 20
    with psycopg.connect(database) as there:
        [[size]] = there.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(size) >> 20


def has_runs(database: Path | str) -> bool:
    """Whether it was filled before."""
    if isinstance(database, Path):
        return database.exists()
    with psycopg.connect(database) as there:
        [[table]] = there.execute("SELECT to_regclass('runs')").fetchall()
        return table is not None and bool(there.execute("SELECT 1 FROM runs LIMIT 1").fetchall())


def _rows(runs: int) -> Iterator[tuple[object, ...]]:
    report = report_of(
        run_of("a", "b"), Usage(calls=3, input_tokens=1, output_tokens=1, seconds=1.0), now()
    )
    text = report.model_dump_json()
    chance = random.Random(1)

    statuses = ["completed"] * 97 + ["failed", "interrupted", "cancelled"]
    for number in range(runs):
        prompt = " ".join(chance.choices(WORDS, cum_weights=WEIGHTS, k=12))
        synthesis = " ".join(chance.choices(WORDS, cum_weights=WEIGHTS, k=25))
        rare = " needle" if number == runs // 3 else ""
        yield (
            f"01{number:024d}",
            statuses[number % 100], f"panel{number % 7}", "synthesis",
            prompt + rare, synthesis, "42", 0.9, 1.0, "{}", "[]", "seed", text,
            report.created_at,
        )  # fmt: skip


async def indexed(database: Path | str) -> tuple[float, float]:
    """Index it as a server does: the seconds it took, and of these to queue the runs."""
    store = opened(database)
    history = History(store)
    began = time.perf_counter()
    await history.page(RunQuery(limit=1, words="(nothing)"))
    queued = time.perf_counter()
    await history.index_all()
    await store.close()
    return time.perf_counter() - began, queued - began


async def median(label: str, call: Callable[[], Awaitable[object]]) -> None:
    """Time so many calls, each through the event loop and its thread as a tool makes it."""
    took = []
    await call()
    for _ in range(TRIES):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    ninety = statistics.quantiles(took, n=10)[-1]
    print(f"{label:<44} median {statistics.median(took):8.3f} ms   90 % {ninety:8.3f} ms")


async def measure(database: Path | str, runs: int) -> None:
    """Print the figures."""
    store = opened(database)
    history = History(store)
    middle = str(runs // 2)
    await median("newest 20", lambda: history.page(RunQuery(limit=20)))
    await median("20 from the middle", lambda: history.page(RunQuery(limit=20, cursor=middle)))
    await median(
        "search, one run has the word", lambda: history.page(RunQuery(limit=20, words="needle"))
    )
    await median(
        "search, most runs have the word", lambda: history.page(RunQuery(limit=20, words="word1"))
    )
    await median(
        "search, two common words", lambda: history.page(RunQuery(limit=20, words="word1 word2"))
    )
    await median(
        "search, a part that most words have", lambda: history.page(RunQuery(limit=20, words="ord"))
    )
    await median(
        "search, a part that one run has", lambda: history.page(RunQuery(limit=20, words="eedl"))
    )
    await median("search, two characters", lambda: history.page(RunQuery(limit=20, words="ee")))
    await median("search, one character", lambda: history.page(RunQuery(limit=20, words="n")))
    await median("search, nothing has it", lambda: history.page(RunQuery(limit=20, words="首都")))
    await median(
        "newest 20 that were interrupted",
        lambda: history.page(RunQuery(limit=20, status="interrupted")),
    )
    await median(
        "newest 20 of one consortium", lambda: history.page(RunQuery(limit=20, consortium="panel3"))
    )
    run = run_of("a", "b").model_copy(update={"run_id": f"bench-{time.time_ns()}"})
    nothing = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
    await store.begin_run(run, report_of(run, nothing, now()))
    reply = Reply(text="word " * 400, seconds=1.0, input_tokens=100, output_tokens=400)
    number = iter(range(1, 10**6))

    async def save() -> None:
        question = Question(
            role="member",
            label="A",
            model="a",
            prompt="word " * 200,
            iteration=next(number),
            timeout=1,
        )
        await store.save_exchange(run.run_id, Exchange.of(question, reply, now()))

    await median("saving an exchange", save)
    await median("a heartbeat", lambda: store.beat([run.run_id]))
    await median("a run's report", lambda: store.report(run.run_id))
    await store.close()


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--url", help="of a PostgreSQL database, instead of a file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.url or options.file or Path(folder) / "consortium.db"
        if not has_runs(database):
            began = time.perf_counter()
            filled(database, options.runs)
            print(f"filled in {time.perf_counter() - began:.0f} s, {size_mb(database)} MB")
        took, first = anyio.run(indexed, database)
        print(
            f"indexed in {took:.0f} s, of which the first search {first:.2f} s; "
            f"{size_mb(database)} MB"
        )
        anyio.run(measure, database, options.runs)


if __name__ == "__main__":
    main()
