"""What docs/team.md says of backup and restore."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.core.records.run_summary import RunQuery
from tests.adapters.journal.test_store import a_run
from tests.conftest import ROOT
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.postgres import Server, programs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.anyio, ON_POSTGRES]


def commands(database: DatabaseOfTest) -> list[str]:
    """Those of the page, for this database."""
    page = (ROOT / "docs" / "team.md").read_text("utf-8")
    found = [line for line in page.splitlines() if line.startswith(("pg_dump ", "pg_restore "))]
    assert len(found) == 2
    return [line.replace("$CONSORTIUM_DATABASE_URL", str(database.url)) for line in found]


def run(command: str, folder: Path) -> None:
    subprocess.run(  # noqa: S602 (the command is the document's own)
        f"{programs()}/{command}", shell=True, cwd=folder, check=True
    )


async def test_a_restored_database_has_every_run_and_finds_it(
    database: DatabaseOfTest, postgres: Server, tmp_path: Path
) -> None:
    there = database.store()
    run_, report = a_run(1)
    await there.begin_run(run_, report)
    await there.close()
    dump, restore = commands(database)
    run(dump, tmp_path)
    postgres.execute("CREATE DATABASE restored ENCODING 'UTF8' TEMPLATE template0")
    try:
        run(restore.replace(str(database.url), postgres.url("restored")), tmp_path)
        here = Store(PostgresDatabase(postgres.url("restored")))
        history = History(here)
        assert (await here.report(run_.run_id)).prompt == run_.prompt
        found, _ = await history.page(RunQuery(20, None, run_.prompt.split()[0]))
        assert [each.run_id for each in found] == [run_.run_id]
        await here.close()
        with psycopg.connect(postgres.url("restored")) as connection:
            taken = connection.execute("SELECT count(*) FROM consortium_migrations").fetchone()
        assert taken is not None
        assert taken[0] >= 9
    finally:
        postgres.execute("DROP DATABASE restored WITH (FORCE)")
