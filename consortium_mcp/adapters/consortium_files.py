"""Files of saved consortiums: our own exports, and the databases of llm-consortium."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ORIGINAL_DATABASES = ("consortium_logs.db", "logs.db")
"""Names of llm-consortium's database in llm's directory: since 0.4, and before."""
_SQLITE = b"SQLite format 3\x00"
Found = dict[str, ConsortiumConfig | dict[str, Any]]
"""Consortiums by name: ours, or configurations of llm-consortium as they are."""


def export_text(consortiums: Iterable[ConsortiumConfig]) -> str:
    """The text of an export with these consortiums, for `read_file` to read."""
    configs = [config.model_dump(mode="json") for config in consortiums]
    return json.dumps({"consortiums": configs}, indent=2, ensure_ascii=False)


def read_file(path: Path) -> Found:
    """The consortiums that are saved in a file.

    Args:
        path: an export of ours, a database of llm-consortium, or a JSON object that maps names to
            its configurations.

    Raises:
        ConfigError: it is none of these, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if content.startswith(_SQLITE):
        return _read_database(path)
    try:
        data = json.loads(content)
        if isinstance(data, dict) and isinstance(data.get("consortiums"), list):
            configs = [ConsortiumConfig.model_validate(each) for each in data["consortiums"]]
            return {str(config.name): config for config in configs}
    except (ValueError, ValidationError, ConfigError) as error:
        raise ConfigError(f"{path} is not an export of consortiums: {error}") from error
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        raise ConfigError(
            f"{path} holds no consortiums. It must be what `llm consortium export` writes, a "
            "database of llm-consortium, or a JSON object of its configurations by name."
        )
    return dict(data)


def original_database(user_dir: Path) -> Path:
    """The database of llm-consortium in llm's directory.

    Raises:
        ConfigError: there is none that holds consortiums.
    """
    for name in ORIGINAL_DATABASES:
        path = user_dir / name
        if path.exists() and _has_table(path):
            return path
    raise ConfigError(
        f"No database of llm-consortium with consortiums was found in {user_dir}. Name the FILE."
    )


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _has_table(path: Path) -> bool:
    try:
        with closing(_connect(path)) as connection:
            sql = "SELECT 1 FROM sqlite_master WHERE name = 'consortium_configs'"
            return connection.execute(sql).fetchone() is not None
    except sqlite3.Error:
        return False


def _read_database(path: Path) -> Found:
    try:
        with closing(_connect(path)) as connection:
            rows = connection.execute("SELECT name, config FROM consortium_configs").fetchall()
        return {name: json.loads(config) for name, config in rows}
    except (sqlite3.Error, ValueError) as error:
        raise ConfigError(f"{path} holds no consortiums of llm-consortium: {error}.") from error
