"""Tables are made once, however many begin at a time, and old and new replicas go side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import psycopg
import pytest

from consortium_mcp.adapters.journal.migrations import additions, migrations
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.core.domain.errors import StoreNewer, StoreUnavailable
from tests.adapters.journal.test_store import saved
from tests.support.databases import ON_POSTGRES, DatabaseOfTest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def empty(postgres: Server, tmp_path: Path) -> Iterator[DatabaseOfTest]:
    """A database without any table."""
    with postgres.database("template0") as url:
        yield DatabaseOfTest(tmp_path, url)


async def test_processes_that_begin_at_once_make_the_tables_once(empty: DatabaseOfTest) -> None:
    stores = [empty.store() for _ in range(6)]
    async with anyio.create_task_group() as group:
        for number, store in enumerate(stores):
            group.start_soon(saved, store, number, "How many?")
    assert empty.execute("SELECT count(*) FROM runs") == [(6,)]
    steps = empty.execute("SELECT name, breaking FROM consortium_migrations ORDER BY name")
    assert steps[0] == ("0001_first_tables.sql", False)
    assert len({*steps}) == len(steps) >= 3
    for store in stores:
        await store.close()


async def test_a_replica_goes_on_with_what_a_newer_one_has_added(empty: DatabaseOfTest) -> None:
    store = empty.store()
    await store.check()
    empty.execute("ALTER TABLE runs ADD COLUMN mood text")
    empty.execute("INSERT INTO consortium_migrations VALUES ('9998_moods.sql', false)")
    await saved(store, 1, "How many?")
    again = empty.store()
    await saved(again, 2, "How many?")
    await store.close()
    await again.close()


async def test_a_newer_database_is_left_alone(empty: DatabaseOfTest) -> None:
    store = empty.store()
    await store.check()
    await store.close()
    empty.execute("INSERT INTO consortium_migrations VALUES ('9999_all.breaking.sql', true)")
    with pytest.raises(StoreNewer, match=r"9999_all.*Upgrade.*CONSORTIUM_DATABASE_URL"):
        await store.check()


async def test_a_database_of_another_program_is_left_alone(empty: DatabaseOfTest) -> None:
    empty.execute("CREATE TABLE runs (winner text)")
    with pytest.raises(StoreUnavailable, match=r"another program .*the table runs"):
        await empty.store().check()
    assert empty.execute("SELECT to_regclass('consortium_migrations')") == [(None,)]


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres: Server) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with pytest.raises(StoreUnavailable, match=r"LATIN1.*UTF8"):
            await Store(PostgresDatabase(postgres.url("latin"))).check()
    finally:
        postgres.execute("DROP DATABASE latin")


@ON_POSTGRES
async def test_both_databases_have_the_same_columns(
    database: DatabaseOfTest, tmp_path: Path
) -> None:
    assert migrations is not additions  # both have shaped the file
    file = DatabaseOfTest(tmp_path / "consortium.db")
    for each in (file, database):
        store = each.store()
        await store.check()
        await store.close()
    tables = [
        "runs", "exchanges", "iterations", "begun_calls", "attachments", "run_attachments",
        "tool_uses", "ratings", "calibrations", "consortiums",
    ]  # fmt: skip
    for table in tables:
        here = {name for (name,) in file.execute("SELECT name FROM pragma_table_info(?)", [table])}
        there = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = ?", [table]
        )
        assert here == {name for (name,) in there}, table


@ON_POSTGRES
async def test_whoever_migrates_waits_for_whoever_does_already(database: DatabaseOfTest) -> None:
    database.execute("DELETE FROM consortium_migrations WHERE name LIKE '0003%'")
    assert database.url is not None
    async with anyio.create_task_group() as group:
        with psycopg.connect(database.url) as other:  # as if it had taken the step just now
            other.execute("SELECT pg_advisory_xact_lock(7266001)")
            other.execute("INSERT INTO consortium_migrations VALUES ('0003_changes.sql', false)")
            store = database.store()
            group.start_soon(store.check)
            await anyio.sleep(0.1)
    await store.close()
