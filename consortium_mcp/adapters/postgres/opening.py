"""Which database the journal is in: the file of one person, or the one of a team."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from consortium_mcp.adapters.installation import how_to_add
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.postgres.database import PostgresDatabase
    from consortium_mcp.adapters.settings import Settings

DRIVER = "psycopg[binary,pool]"


def database_of(settings: Settings) -> Path | Database:
    """The database that these settings name, not opened yet.

    Raises:
        ConfigError: its address cannot be read, or PostgreSQL's driver is not installed.
    """
    return settings.database if settings.database_url is None else team_database(settings)


def team_database(settings: Settings) -> PostgresDatabase:
    """The team's database, not opened yet.

    Raises:
        ConfigError: there is none, its address cannot be read, or the driver is not installed.
    """
    if settings.database_url is None:
        raise ConfigError(
            "A team's server needs a PostgreSQL database: set CONSORTIUM_DATABASE_URL to its "
            "address, such as postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        )
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise ConfigError(
            "CONSORTIUM_DATABASE_URL needs the driver of PostgreSQL, which comes with the extra "
            f"`team`: {how_to_add(DRIVER)}."
        )
    from consortium_mcp.adapters.postgres.database import (  # noqa: PLC0415 (costs 0.2 s)
        PostgresDatabase,
    )

    return PostgresDatabase(settings.database_url)
