from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from sqlite_utils import Database

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.migrations import migrations
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import (
    MemberError,
    StoreBusy,
    StoreError,
    StoreNewer,
    UnknownConsortium,
    UnknownRun,
)
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import ConfidenceParts, Verdict
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.records.run_record import IterationRecord
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.databases import ON_SQLITE, DatabaseOfTest, path_of
from tests.support.fakes import config, run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

USAGE = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
QUESTION = Question(
    role="member", label="A", model="a", prompt="How many?", iteration=1, timeout=120
)
EXCHANGE = Exchange.of(QUESTION, Reply(text="42", seconds=1), now())


@pytest.fixture
async def store(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


def a_run(number: int = 0, prompt: str = "How many?", **more: object) -> tuple[Run, RunReport]:
    run = run_of("a", prompt=prompt, **more).model_copy(update={"run_id": f"run-{number:04}"})
    return run, report_of(run, USAGE, "2026-11-23T12:00:00.000+00:00")


async def saved(store: Store, number: int, prompt: str, **changes: object) -> RunReport:
    run, report = a_run(number, prompt)
    await store.begin_run(run, report)
    report = report.model_copy(update=changes)
    await store.save_report(report)
    return report


async def test_folders_are_made_and_reports_come_back(store: Store) -> None:
    run, report = a_run()
    await store.begin_run(run, report)
    assert await store.report("run-0000") == report
    ended = report.model_copy(update={"status": "completed", "synthesis": "It is 42."})
    await store.save_report(ended)
    assert await store.report("run-0000") == ended
    summary = (await History(store).page(RunQuery(limit=1)))[0][0]
    assert summary.status == "completed"
    assert summary.ended_at is not None


async def test_an_unknown_run_names_the_remedy(store: Store) -> None:
    with pytest.raises(UnknownRun, match="No run has the id"):
        await store.report("nope")


async def test_pages_follow_one_another_newest_first_without_gaps(store: Store) -> None:
    for number in range(7):
        await saved(store, number, "How many?")
    seen: list[str] = []
    key: str | None = None
    while True:
        page, key = await History(store).page(RunQuery(limit=3, cursor=key))
        seen += [run.run_id for run in page]
        if key is None:
            break
        await saved(store, 100 + len(seen), "a newcomer on page one moves nothing")
    assert seen == [f"run-{number:04}" for number in reversed(range(7))]


async def test_a_page_that_just_fits_has_no_next(store: Store) -> None:
    for number in range(3):
        await saved(store, number, "How many?")
    assert (await History(store).page(RunQuery(limit=3)))[1] is None


async def test_search_finds_words_of_prompt_and_synthesis(store: Store) -> None:
    await saved(store, 1, "Why is the sky blue?", synthesis="Rayleigh scattering.")
    await saved(store, 2, "Why is grass green?", synthesis="Chlorophyll.")
    await saved(store, 3, "Is the sky grey?", synthesis="At times.")

    async def found(query: str) -> list[str]:
        return [
            run.run_id for run in (await History(store).page(RunQuery(limit=9, words=query)))[0]
        ]

    assert await found("sky") == ["run-0003", "run-0001"]
    assert await found("SKY blue") == ["run-0001"]
    assert await found("chlorophyll") == ["run-0002"]
    assert await found('NEAR( "sky" OR * - :') == []
    assert await found("  ") == ["run-0003", "run-0002", "run-0001"]
    page, key = await History(store).page(RunQuery(limit=1, words="sky"))
    assert [run.run_id for run in page] == ["run-0003"]
    rest, _ = await History(store).page(RunQuery(limit=1, words="sky", cursor=key))
    assert [run.run_id for run in rest] == ["run-0001"]


async def test_a_changed_synthesis_is_found_by_its_new_words_only(store: Store) -> None:
    report = await saved(store, 1, "How many?", synthesis="forty one")
    await store.save_report(report.model_copy(update={"synthesis": "forty two"}))
    assert len((await History(store).page(RunQuery(limit=9, words="two")))[0]) == 1
    assert len((await History(store).page(RunQuery(limit=9, words="one")))[0]) == 0


async def test_filters_by_status_and_consortium(store: Store) -> None:
    await saved(store, 1, "sky one", status="completed")
    await saved(store, 2, "sky two", status="failed")
    run, report = a_run(3, "sky three", name="mine")
    await store.begin_run(run, report)

    async def found(**filters: str) -> list[str]:
        return [run.run_id for run in (await History(store).page(RunQuery(limit=9, **filters)))[0]]

    assert await found(status="failed") == ["run-0002"]
    assert await found(consortium="mine") == ["run-0003"]
    assert await found(status="working", words="sky", consortium="mine") == ["run-0003"]
    assert await found(status="cancelled") == []


async def test_every_exchange_is_kept_as_it_landed(store: Store) -> None:
    run, report = a_run()
    await store.begin_run(run, report)
    reply = Reply(text="42", seconds=1.5, input_tokens=10, output_tokens=None)
    await store.save_exchange("run-0000", Exchange.of(QUESTION, reply, now()))
    asked = QUESTION.model_copy(update={"label": "B", "system": "Be brief."})
    failed = MemberError("HTTP 500", kind="http")
    await store.save_exchange("run-0000", Exchange.of(asked, failed, now()))
    one, two = await store.exchanges("run-0000")
    assert (one.label, one.reply, one.seconds, one.input_tokens) == ("A", "42", 1.5, 10)
    assert one.output_tokens is None
    assert (two.label, two.system, two.reply, two.error) == ("B", "Be brief.", None, "HTTP 500")


async def test_the_same_exchange_cannot_be_recorded_twice(store: Store) -> None:
    run, report = a_run()
    await store.begin_run(run, report)
    await store.save_exchange("run-0000", EXCHANGE)
    await store.save_exchange("run-0000", EXCHANGE.model_copy(update={"reply": "43"}))
    assert [exchange.reply for exchange in await store.exchanges("run-0000")] == ["42"]


async def test_what_is_being_recorded_is_recorded_though_the_run_is_cancelled(
    store: Store,
) -> None:
    run, report = a_run()
    await store.begin_run(run, report)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.save_exchange("run-0000", EXCHANGE)
    assert len(await store.exchanges("run-0000")) == 1


async def test_consortiums_are_saved_replaced_listed_and_deleted(store: Store) -> None:
    await SavedConsortiums(store).save(config("a", name="zoo"))
    await SavedConsortiums(store).save(config("b", name="ant"))
    await SavedConsortiums(store).save(config("c", name="zoo", system="Be brief."))
    assert [c.name for c in await SavedConsortiums(store).all()] == ["ant", "zoo"]
    assert (await SavedConsortiums(store).find("zoo")).system == "Be brief."
    await SavedConsortiums(store).delete("ant")
    assert [c.name for c in await SavedConsortiums(store).all()] == ["zoo"]


async def test_an_unknown_consortium_lists_what_comes_close(store: Store) -> None:
    with pytest.raises(UnknownConsortium, match="None is saved yet"):
        await SavedConsortiums(store).find("mine")
    await SavedConsortiums(store).save(config("a", name="mine"))
    with pytest.raises(UnknownConsortium, match="Saved: mine"):
        await SavedConsortiums(store).delete("nine")


async def test_what_is_saved_survives_being_closed_and_opened(
    store: Store, database: DatabaseOfTest
) -> None:
    await saved(store, 1, "How many?")
    await store.close()
    again = database.store()
    assert len((await History(again).page(RunQuery(limit=9)))[0]) == 1
    await again.close()


@ON_SQLITE
async def test_a_newer_database_is_left_alone(store: Store) -> None:
    await store.check()
    await store.close()
    with sqlite3.connect(path_of(store)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('consortium_mcp', '9999_from_the_future', 'now')"
        )
    connection.close()
    with pytest.raises(StoreNewer, match=r"9999_from_the_future.*Upgrade"):
        await History(store).page(RunQuery(limit=1))


async def test_a_path_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made.*CONSORTIUM_DB"):
        await Store(tmp_path / "file" / "consortium.db").check()
    with pytest.raises(StoreError, match=r"unable to open.*CONSORTIUM_DB"):
        await Store(tmp_path).check()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write where it may not"
)
@ON_SQLITE
async def test_a_read_only_file_names_the_remedy(store: Store) -> None:
    await store.check()
    await store.close()
    path_of(store).chmod(0o400)
    with pytest.raises(StoreError, match=r"readonly.*can be written"):
        await store.check()


@ON_SQLITE
async def test_a_lock_held_for_too_long_is_busy(store: Store) -> None:
    await store.check()
    impatient = Store(path_of(store), busy_seconds=0.05)
    await impatient.check()
    other = sqlite3.connect(path_of(store), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreBusy, match="locked by another program"):
            await SavedConsortiums(impatient).save(config("a", name="mine"))
    finally:
        other.close()
        await impatient.close()


def _write_runs(database: DatabaseOfTest, process: int, runs: int) -> None:
    async def write() -> None:
        store = database.store()
        for number in range(runs):
            await saved(store, 1000 * process + number, "How many?")
            await store.save_exchange(f"run-{1000 * process + number:04}", EXCHANGE)
        await store.close()

    anyio.run(write)


async def test_processes_starting_cold_on_one_new_database_lose_nothing(
    database: DatabaseOfTest,
) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_runs, args=(database, n, 10)) for n in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        await anyio.to_thread.run_sync(writer.join)
    assert [writer.exitcode for writer in writers] == [0] * 4
    store = database.store()
    runs, _ = await History(store).page(RunQuery(limit=100))
    assert len(runs) == 40
    assert all([len(await store.exchanges(run.run_id)) == 1 for run in runs])
    await store.close()


async def test_a_run_that_another_process_goes_on_with_is_theirs_alone(
    database: DatabaseOfTest,
) -> None:
    now = [1000.0]
    here, there = (database.store(clock=lambda: now[0]) for _ in range(2))
    run, report = a_run()
    await here.begin_run(run, report)
    assert not await there.claim(run.run_id)
    now[0] += here.lease.told_seconds - 1
    assert (await here.beat([run.run_id])).taken_over == frozenset()
    now[0] += here.lease.told_seconds - 1
    assert (await there.report(run.run_id)).status == "working"
    now[0] += 2
    assert (await there.report(run.run_id)).status == "interrupted"
    assert await there.claim(run.run_id)
    assert not await here.claim(run.run_id)
    assert (await here.beat([run.run_id])).taken_over == {run.run_id}
    ended = report.model_copy(update={"status": "completed"})
    await here.save_report(ended)
    await here.save_iteration(run.run_id, IterationRecord.heard(1, ()))
    assert (await there.report(run.run_id)).status == "working"
    assert await there.iterations(run.run_id) == []
    await there.cancel(run.run_id)
    assert (await there.beat([run.run_id])).cancelled == {run.run_id}
    await there.save_report(ended)
    assert (await here.report(run.run_id)).status == "completed"
    await here.close()
    await there.close()


async def test_a_database_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    connection = sqlite3.connect(path, isolation_level=None)
    first = Database(connection, execute_plugins=False)
    migrations.apply(first, stop_before="0002_runs_that_outlive_their_process")
    run, report = a_run()
    connection.execute(
        "INSERT INTO runs (run_id, status, strategy, prompt, config, members, seed, report,"
        " created_at) VALUES (?, 'working', 'synthesis', ?, ?, ?, 'seed', ?, ?)",
        [
            run.run_id,
            run.prompt,
            run.config.model_dump_json(),
            json.dumps([member.model_dump() for member in run.members]),
            report.model_dump_json(),
            report.created_at,
        ],
    )
    verdict = Verdict(
        synthesis="42",
        confidence=0.9,
        parts=ConfidenceParts(
            agreement=1.0, margin=1.0, mean_stated=0.9, votes=1, distinct_answers=1,
            arbiter_confidence=None, method="counting",
        ),
        supporters=("A",),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO verdicts (run_id, iteration, verdict, created_at) VALUES (?, 1, ?, '')",
        [run.run_id, verdict.model_dump_json()],
    )
    connection.close()
    store = Store(path)
    record = await store.record(run.run_id)
    assert record.report.status == "interrupted"
    assert [(it.number, it.responses, it.verdict) for it in record.iterations] == [
        (1, None, verdict)
    ]
    assert record.run() == run  # without its responses, an iteration is gone through again
    await store.close()


async def test_a_limit_of_the_earlier_name_is_read_and_what_is_not_set_is_not_written(
    store: Store,
) -> None:
    saved = SavedConsortiums(store)
    await saved.save(config("a", name="old", max_total_tokens=500))
    await saved.save(config("a", name="new"))
    rows = await store.file.read("SELECT config FROM consortiums ORDER BY name DESC")
    stored = [json.loads(row["config"]) for row in rows]
    assert [each.get("max_total_tokens", "none") for each in stored] == [500, "none"]
    assert "criteria" not in stored[1]
    earlier = json.dumps(stored[0] | {"max_tokens": stored[0].pop("max_total_tokens")})
    await store.file.write(
        lambda db: db.execute("UPDATE consortiums SET config = ? WHERE name = 'old'", [earlier])
    )
    assert (await saved.find("old")).max_total_tokens == 500
