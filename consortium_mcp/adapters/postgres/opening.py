"""Which database the journal is in: the file of one person, or the one of a team."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from consortium_mcp.adapters.installation import how_to_add
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.settings import Settings

DRIVER = "psycopg[binary,pool]"


def database_of(settings: Settings) -> Path | Database:
    """The database that these settings name, not opened yet.

    Raises:
        ConfigError: its address cannot be read, or PostgreSQL's driver is not installed.
    """
    return settings.database if settings.database_url is None else team_database_of(settings)


def team_database_of(settings: Settings) -> Database:
    """The team's database that these settings name, not opened yet.

    Raises:
        ConfigError: they name none, its address cannot be read, or PostgreSQL's driver is not
            installed.
    """
    if settings.database_url is None:
        raise ConfigError(
            "This is for a team's server. Name its database in CONSORTIUM_DATABASE_URL."
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
