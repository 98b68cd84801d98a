"""procrastinate's tables, new, old, and those of another program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from consortium_mcp.adapters.queue.schema import bring_up_to_date
from consortium_mcp.core.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import Server

STEPS = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
SHAPE = """
SELECT 'function', proname, pg_get_function_arguments(oid) FROM pg_proc
    WHERE proname LIKE 'procrastinate%' AND proname NOT LIKE '%\\_v0'
UNION ALL SELECT 'column', table_name || '.' || column_name, data_type
    FROM information_schema.columns WHERE table_name LIKE 'procrastinate%'
UNION ALL SELECT 'index', indexname, tablename FROM pg_indexes WHERE tablename LIKE 'procrastinate%'
UNION ALL SELECT 'trigger', tgname, tgrelid::regclass::text FROM pg_trigger
    WHERE tgrelid::regclass::text LIKE 'procrastinate%' AND NOT tgisinternal
ORDER BY 1, 2, 3
"""


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def updated(url: str) -> None:
    with connected(url) as connection:
        bring_up_to_date(connection, "here")


def shape(url: str) -> list[tuple[object, ...]]:
    with connected(url) as connection:
        return connection.execute(SHAPE).fetchall()


def test_processes_that_begin_together_make_the_tables_once(postgres: Server) -> None:
    with postgres.database() as url:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(updated, [url] * 4))
        with connected(url) as connection:
            noted = connection.execute("SELECT count(*) FROM queue_migrations").fetchone()
        assert noted == (len(STEPS),)
        found = shape(url)
        updated(url)
        assert shape(url) == found


@pytest.mark.parametrize("release", ["02.06", "03.00", "03.03"])
def test_the_tables_of_an_older_version_are_brought_up_to_date(
    postgres: Server, release: str
) -> None:
    with postgres.database() as url, postgres.database() as new:
        with connected(url) as connection:
            for step in STEPS:
                if step.name < release:
                    connection.execute(step.read_bytes())
                    connection.execute(
                        "INSERT INTO queue_migrations (name) VALUES (%s)", [step.name]
                    )
        updated(url)
        updated(new)
        assert set(shape(new)) <= set(shape(url))


def test_the_queue_of_another_program_is_left_alone(postgres: Server) -> None:
    with postgres.database() as url:
        with connected(url) as connection:
            connection.execute(SchemaManager.get_schema())
        with pytest.raises(StoreUnavailable, match="queue of another program"):
            updated(url)
