"""What goes wrong with a server is told in the words of the journal, and is survived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres import opening
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.adapters.settings import for_another_program, from_environment
from consortium_mcp.core.domain.errors import ConfigError, StoreBusy, StoreUnavailable
from consortium_mcp.core.records.run_summary import RunQuery
from tests.adapters.journal.test_store import a_run, saved
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.fakes import config
from tests.support.postgres import PASSWORD, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


async def refused(url: str) -> str:
    with pytest.raises(StoreUnavailable) as error:
        await Store(PostgresDatabase(url)).check()
    return str(error.value)


async def test_a_server_that_cannot_be_used_names_the_reason_and_the_remedy(
    postgres: Server,
) -> None:
    nobody = await refused("postgresql://me:s3cret@127.0.0.1:1/db")
    assert "db on 127.0.0.1:1 cannot be used" in nobody
    assert "refused" in nobody
    assert "Start its server" in nobody
    wrong = await refused(postgres.url(password="wr0ng"))
    assert "password authentication failed" in wrong
    assert "Correct the user and the password" in wrong
    missing = await refused(postgres.url("nosuch"))
    assert 'database "nosuch" does not exist' in missing
    for said in (nobody, wrong, missing):
        assert "CONSORTIUM_DATABASE_URL" in said
        assert "s3cret" not in said
        assert "wr0ng" not in said


async def test_an_address_that_cannot_be_read_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for url in (f"postgresql://me:{PASSWORD}%@host/db", f"postgresql://me:{PASSWORD}@host/db?x=1"):
        with pytest.raises(ConfigError, match="CONSORTIUM_DATABASE_URL cannot be read") as error:
            PostgresDatabase(url)
        assert PASSWORD not in str(error.value)
    for url in (f"mysql://me:{PASSWORD}@host/db", "consortium.db"):
        with pytest.raises(ConfigError, match="is no address of PostgreSQL") as error:
            from_environment({"CONSORTIUM_DATABASE_URL": url}, for_team=True)
        assert PASSWORD not in str(error.value)
    url = f"postgresql://me:{PASSWORD}@host/db"
    settings = from_environment({"CONSORTIUM_DATABASE_URL": url}, for_team=True)
    assert from_environment({"CONSORTIUM_DATABASE_URL": url}).database_url is None  # for llm
    assert for_another_program({"CONSORTIUM_DATABASE_URL": url}) == {}
    assert PASSWORD not in repr(settings)
    found = opening.database_of(settings)
    assert isinstance(found, PostgresDatabase)
    assert found.name == "db on host"
    monkeypatch.setattr(opening, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"extra `team`.*psycopg"):
        opening.database_of(settings)


@ON_POSTGRES
async def test_a_database_that_is_only_read_can_be_read(
    database: DatabaseOfTest, store: Store
) -> None:
    await saved(store, 1, "How many?")
    name = str(database.url).rpartition("/")[2]
    database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    later = database.store()
    assert (await later.report("run-0001")).prompt == "How many?"
    assert (await History(later).page(RunQuery(words="many")))[0] == []  # it cannot be indexed
    with pytest.raises(StoreUnavailable, match=r"read-only transaction.*Make it writable"):
        await saved(later, 2, "How many more?")
    await later.close()


@ON_POSTGRES
async def test_a_lock_held_for_too_long_is_busy(database: DatabaseOfTest, store: Store) -> None:
    await SavedConsortiums(store).save(config("a", name="mine"))
    assert database.url is not None
    impatient = Store(PostgresDatabase(database.url, busy_seconds=0.05))
    with psycopg.connect(database.url) as other:
        other.execute("UPDATE consortiums SET updated_at = ''")
        with pytest.raises(StoreBusy, match="locked by another program"):
            await SavedConsortiums(impatient).save(config("a", name="mine"))
    await impatient.close()


@ON_POSTGRES
async def test_connections_that_were_lost_are_made_anew(
    database: DatabaseOfTest, store: Store
) -> None:
    await saved(store, 1, "How many?")
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
    database.execute(f"{gone} AND datname = current_database()")
    assert (await store.report("run-0001")).prompt == "How many?"
    database.execute(f"{gone} AND datname = current_database()")
    await saved(store, 2, "How many more?")
    assert (await store.report("run-0002")).prompt == "How many more?"


@ON_POSTGRES
async def test_leases_use_the_databases_clock(
    database: DatabaseOfTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, report = a_run()
    await store.begin_run(run, report)
    there = database.store()
    for wrong in (-3600.0, 3600.0):  # this machine's clock is an hour off
        monkeypatch.setattr("time.time", lambda wrong=wrong: 1_800_000_000.0 + wrong)
        assert (await there.report(run.run_id)).status == "working"
        assert not await there.claim(run.run_id)
        assert (await store.beat([run.run_id])).taken_over == frozenset()
        [page], _ = await History(there).page(RunQuery(status="working"))
        assert page.run_id == run.run_id
    database.execute("UPDATE runs SET heartbeat = heartbeat - ?", [TEAM.told_seconds + 1])
    assert (await there.report(run.run_id)).status == "interrupted"
    assert await there.claim(run.run_id)
    await there.close()


@ON_POSTGRES
async def test_a_nul_and_other_odd_texts_are_kept(store: Store) -> None:
    report = await saved(store, 1, "a\0b %s ? 100% '", synthesis="x\0y \\u0000 首都")
    assert (await store.report("run-0001")) == report  # JSON writes a NUL with letters
    [found], _ = await History(store).page(RunQuery(words="首都"))
    assert found.synthesis == "x�y \\u0000 首都"
    assert found.calls == 0
