"""Brings the tables up to date, by the numbered files in `steps/`.

Never change a file that has shipped. Replicas of two versions use the database side by side, so a
file only adds what older versions need not know. One that they could not work with ends in
`.breaking.sql`: they refuse a database that has it.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from consortium_mcp.adapters.postgres.failures import VARIABLE
from consortium_mcp.core.domain.errors import StoreNewer, StoreUnavailable

if TYPE_CHECKING:
    import psycopg

LOCK = 7_266_001
"""The advisory lock of whoever migrates; any number that other programs do not take."""
_LOCK_SECONDS = 10
"""How long a step waits for a table that is in use; all who come after it wait as well."""
_BREAKING = ".breaking.sql"
_TABLE = """
CREATE TABLE IF NOT EXISTS consortium_migrations (
    name text PRIMARY KEY,
    breaking boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def bring_up_to_date(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Check that the database is ours, and take the steps that are missing.

    Args:
        connection: one that is in no transaction.
        name: the database, as its users may see it.

    Raises:
        StoreNewer: a newer version has changed it so that this one cannot use it.
        StoreUnavailable: it belongs to another program, or cannot hold every text.
        psycopg.Error: it cannot be read or changed.
    """
    if _pending(connection, name):
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            connection.execute(_TABLE)
            for step in _pending(connection, name):  # another process may have been at it
                connection.execute(_steps()[step])
                connection.execute(
                    "INSERT INTO consortium_migrations (name, breaking) VALUES (%s, %s)",
                    [step, step.endswith(_BREAKING)],
                )


def _steps() -> dict[str, str]:
    """The text of every step, in their order."""
    folder = resources.files("consortium_mcp.adapters.postgres") / "steps"
    files = sorted((each for each in folder.iterdir()), key=lambda each: each.name)
    return {each.name: each.read_text("utf-8") for each in files if each.name.endswith(".sql")}


def _pending(connection: psycopg.Connection[tuple[object, ...]], name: str) -> list[str]:
    """The steps that are to be taken."""
    found = connection.execute(
        "SELECT to_regclass('consortium_migrations') IS NOT NULL, to_regclass('runs') IS NOT NULL,"
        " current_setting('server_encoding')"
    ).fetchone()
    ours, foreign, encoding = found or (False, False, "")
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"The database {name} has the encoding {encoding}, which cannot hold every text. Make "
            f"one with UTF8, and set {VARIABLE} to it."
        )
    if not ours:
        if foreign:
            raise StoreUnavailable(
                f"{name} is a database of another program (with the table runs), so nothing was "
                f"written to it. Set {VARIABLE} to a database of its own."
            )
        return list(_steps())
    done = connection.execute("SELECT name, breaking FROM consortium_migrations ORDER BY name")
    taken = {str(step): bool(breaking) for step, breaking in done.fetchall()}
    steps = _steps()
    if unknown := [step for step, breaking in taken.items() if breaking and step not in steps]:
        raise StoreNewer(
            f"{name} was written by a newer consortium-mcp (it knows {unknown[-1]}). Upgrade this "
            f"one, or set {VARIABLE} to another database."
        )
    return [step for step in steps if step not in taken]
