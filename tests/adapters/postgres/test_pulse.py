"""Heartbeats that do not wait for the event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import psycopg
import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.postgres.pulse import PostgresPulse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consortium_mcp.adapters.databases.database import Connection
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio


class Beats:
    """Counts them, in the thread and as told in the event loop."""

    def __init__(self) -> None:
        self.made = 0
        self.told: list[int] = []
        self.at_least_twice = threading.Event()

    def __call__(self, db: Connection) -> int:
        db.execute("SELECT 1")
        self.made += 1
        if self.made > 1:
            self.at_least_twice.set()
        return self.made

    async def until_told(self, number: int) -> None:
        with anyio.fail_after(60):
            while len(self.told) < number:  # noqa: ASYNC110 (a thread tells)
                await anyio.sleep(0.01)


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(url)
    await opened.write(lambda db: db.execute("SELECT 1"))
    yield opened
    await opened.close()


async def test_it_beats_while_the_event_loop_is_busy(database: PostgresDatabase) -> None:
    beats = Beats()
    database.pulse().start(beats, beats.told.append)
    database.pulse().start(beats, beats.told.append)  # it has begun already
    # The loop does nothing else until the second beat was made.
    assert beats.at_least_twice.wait(60)
    assert beats.told == []
    await beats.until_told(2)
    assert beats.told[:2] == [1, 2]


async def test_it_beats_at_once_when_somebody_wants_a_run(url: str) -> None:
    beats = Beats()
    pulse = PostgresPulse(
        lambda: psycopg.connect(url, autocommit=True), lambda found: found, seconds=3600
    )
    pulse.start(beats, beats.told.append)
    with psycopg.connect(url, autocommit=True) as other:
        for number in range(1, 4):
            await beats.until_told(number)
            other.execute("NOTIFY consortium_owners, 'run'")
    pulse.close()


async def test_it_goes_on_when_its_database_is_back(
    database: PostgresDatabase, postgres: Server, url: str
) -> None:
    beats = Beats()
    database.pulse().start(beats, beats.told.append)
    await beats.until_told(1)
    with postgres.away(url):
        made = beats.made
    await beats.until_told(made + 2)


async def test_a_process_that_stops_in_a_transaction_locks_nothing_for_long(
    database: PostgresDatabase,
) -> None:
    [row] = await database.read("SHOW idle_in_transaction_session_timeout")
    assert row["idle_in_transaction_session_timeout"] == "4s"
