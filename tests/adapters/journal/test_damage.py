"""A damaged database is set aside, whoever finds the damage and when."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.adapters.sqlite.damage import all_set_aside, identity_of, set_aside
from consortium_mcp.core.domain.errors import StoreUnavailable, UnknownRun
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.damage import DAMAGED, UNUSABLE, damage_page, page_of
from tests.support.fakes import config, run_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def filled(path: Path, name: str = "mine") -> None:
    """A database with some runs and a saved consortium, closed."""
    store = Store(path)
    usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
    for number in range(20):
        run = run_of("a", prompt="long " * 500).model_copy(update={"run_id": f"run-{number}"})
        await store.begin_run(run, report_of(run, usage, "2026-11-23T12:00:00.000+00:00"))
    await SavedConsortiums(store).save(config("a", name=name))
    await store.close()


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("damage", DAMAGED)
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "consortium.db"
    await filled(path)
    damage(path)
    content = path.read_bytes()
    store = Store(path)
    assert (await History(store).page(RunQuery())) == ([], None)
    [aside] = store.file.set_aside
    assert aside.path.read_bytes() == content
    assert aside.path.parent == tmp_path
    assert str(aside.path) in str(aside)
    assert "CONSORTIUM_DB" in str(aside)
    await SavedConsortiums(store).save(config("a", name="new"))
    with pytest.raises(UnknownRun, match="damaged"):
        await store.report("run-1")
    await store.close()
    assert names(tmp_path) == sorted(["consortium.db", aside.path.name])


@pytest.mark.parametrize("table", ["runs", "exchanges", "consortiums"])
async def test_damage_that_is_met_later_counts_too(tmp_path: Path, table: str) -> None:
    path = tmp_path / "consortium.db"
    await filled(path)
    store = Store(path)
    await store.check()
    await store.file.read("SELECT 1")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage_page(path, page_of(path, table))
    run = run_of("a").model_copy(update={"run_id": "later"})
    usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
    await store.begin_run(run, report_of(run, usage, "2026-11-23T12:00:00.000+00:00"))
    await store.file.read(f"SELECT * FROM {table}")  # noqa: S608 (a name of this test's)
    await SavedConsortiums(store).save(config("a", name="new"))
    assert len(store.file.set_aside) == 1
    assert store.file.begun_anew == 1
    await store.close()


@pytest.mark.parametrize("stand_in", UNUSABLE)
async def test_what_is_not_ours_is_left_as_it_is(
    tmp_path: Path, stand_in: Callable[[Path], None]
) -> None:
    path = tmp_path / "consortium.db"
    await filled(path)
    stand_in(path)
    before = path.read_bytes() if path.is_file() else None
    store = Store(path)
    for use in (store.check, store.exchanges):
        with pytest.raises(StoreUnavailable, match="CONSORTIUM_DB"):
            await use(*["run-1"] * (use == store.exchanges))
    await store.close()
    assert names(tmp_path) == ["consortium.db"]
    assert (path.read_bytes() if path.is_file() else None) == before


async def test_a_file_whose_name_is_no_databases_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("set CONSORTIUM_DB to this by mistake " * 100)
    with pytest.raises(StoreUnavailable, match=r"left as it is.*CONSORTIUM_DB"):
        await Store(path).check()
    assert names(tmp_path) == ["notes.txt"]


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    path.touch()
    await filled(path)
    assert all_set_aside(path) == ()


def save_one(path: Path, name: str) -> None:
    async def save() -> None:
        store = Store(path, busy_seconds=30)
        await SavedConsortiums(store).save(config("a", name=name))
        await store.close()

    anyio.run(save)


async def test_several_processes_that_find_the_damage_begin_one_new_file(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    path.write_bytes(b"\xa5" * 50_000)
    context = multiprocessing.get_context("spawn")
    finders = [context.Process(target=save_one, args=(path, f"c{n}")) for n in range(4)]
    for finder in finders:
        finder.start()
    for finder in finders:
        await anyio.to_thread.run_sync(finder.join)
    assert [finder.exitcode for finder in finders] == [0] * 4
    [aside] = all_set_aside(path)
    assert aside.path.read_bytes() == b"\xa5" * 50_000
    store = Store(path)
    assert [each.name for each in await SavedConsortiums(store).all()] == ["c0", "c1", "c2", "c3"]
    await store.close()


async def test_a_process_notices_that_another_has_set_its_file_aside(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    await filled(path)
    here = Store(path)
    await here.check()
    await here.file.read("SELECT 1")
    set_aside(path, identity_of(path))
    await SavedConsortiums(here).save(config("a", name="new"))
    assert [each.name for each in await SavedConsortiums(here).all()] == ["new"]
    assert len(here.notes(recent=True)) == 1
    await here.close()


async def test_a_file_that_cannot_be_renamed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "consortium.db"
    path.write_bytes(b"\xa5" * 5_000)
    make_folder(tmp_path / "consortium.db.lock")  # so that no process can have it alone
    with pytest.raises(StoreUnavailable, match=r"could not be set aside.*CONSORTIUM_DB"):
        await Store(path).check()
    assert path.read_bytes() == b"\xa5" * 5_000
