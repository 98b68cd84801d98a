"""Files of saved consortiums: our own exports, and the databases of llm-consortium."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ORIGINAL_DATABASES = ("consortium_logs.db", "logs.db")
"""Names of llm-consortium's database in llm's directory: since 0.4, and before."""
LOCK_SECONDS = 2.0
"""How long to wait while another process holds llm-consortium's database."""
_SQLITE = b"SQLite format 3\x00"
Found = dict[str, ConsortiumConfig | dict[str, Any] | ConfigError]
"""Consortiums by name: ours, configurations of llm-consortium as they are, or why one cannot be
read."""


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
    except ValueError as error:
        raise ConfigError(f"{path} is not an export of consortiums: {error}") from error
    if isinstance(data, dict) and isinstance(data.get("consortiums"), list):
        found: Found = dict(
            _exported(number, each) for number, each in enumerate(data["consortiums"], 1)
        )
        errors = [each for each in found.values() if isinstance(each, ConfigError)]
        if errors and len(errors) == len(found):
            raise ConfigError(f"{path} is not an export of consortiums: {errors[0]}")
        return found
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        raise ConfigError(
            f"{path} holds no consortiums. It must be what `llm consortium export` writes, a "
            "database of llm-consortium, or a JSON object of its configurations by name."
        )
    return dict(data)


def _exported(number: int, data: object) -> tuple[str, ConsortiumConfig | ConfigError]:
    name = data.get("name") if isinstance(data, dict) else None
    try:
        config = ConsortiumConfig.model_validate(data)
    except (ValidationError, ConfigError) as error:
        return str(name or f"number {number}"), ConfigError(f"It cannot be read: {error}")
    return str(config.name), config


def read_runs(path: Path) -> Iterator[dict[str, Any]]:
    """The runs in a database of llm-consortium, oldest first, as `run_from` reads them.

    Raises:
        ConfigError: it is no such database, or is locked.
    """
    with _opened(path, "runs") as connection:
        tables = _tables(connection)
        if "consortium_runs" not in tables:
            raise ConfigError(
                f"{path} holds no runs of llm-consortium; its versions before 0.8 kept none."
            )
        sources = [sql for table, sql in _SAID.items() if table in tables]
        runs = connection.execute("SELECT * FROM consortium_runs ORDER BY created_at, rowid")
        for run in runs.fetchall():
            yield {
                "run": dict(run),
                "members": [
                    _said(connection, sources, dict(member))
                    for member in connection.execute(
                        "SELECT * FROM consortium_members WHERE run_id = ?"
                        " ORDER BY iteration, rowid",
                        [run["id"]],
                    )
                ],
                "decisions": [
                    dict(row)
                    for row in connection.execute(
                        "SELECT * FROM arbiter_decisions WHERE run_id = ? ORDER BY iteration",
                        [run["id"]],
                    )
                ],
            }


# Where llm logs what a model said: in its older versions, and since 0.32. A database can have both.
_SAID = {
    "responses": "SELECT model, prompt, system, response, duration_ms, input_tokens, output_tokens,"
    " datetime_utc FROM responses WHERE id = ?",
    "turn_search": "SELECT model, prompt, response, duration_ms, input_tokens, output_tokens,"
    " datetime_utc FROM turns JOIN turn_search ON turn_search.turn_id = turns.id"
    " WHERE turns.id = ?",
}


def _said(
    connection: sqlite3.Connection, sources: list[str], member: dict[str, Any]
) -> dict[str, Any]:
    """The member's row, with what llm logged of its response, if it did."""
    for sql in sources:
        if row := connection.execute(sql, [member["response_id"]]).fetchone():
            return member | dict(row)
    return member


def original_database(*folders: Path) -> Path:
    """The database of llm-consortium in the first of these folders that has one.

    Raises:
        ConfigError: there is none that holds consortiums, or it is locked.
    """
    for path in (folder / name for folder in folders for name in ORIGINAL_DATABASES):
        if path.exists() and _has_consortiums(path):
            return path
    raise ConfigError(
        "No database of llm-consortium with consortiums was found in "
        f"{' or '.join(map(str, dict.fromkeys(folders)))}. Name the FILE."
    )


def _has_consortiums(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                return False
    except OSError:
        return False
    with _opened(path, "consortiums") as connection:
        return "consortium_configs" in _tables(connection)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {row["name"] for row in rows}


def _read_database(path: Path) -> Found:
    with _opened(path, "consortiums") as connection:
        rows = connection.execute("SELECT name, config FROM consortium_configs").fetchall()
    return {str(row["name"]): _configuration(row["config"]) for row in rows}


def _configuration(text: str) -> dict[str, Any] | ConfigError:
    try:
        config = json.loads(text)
    except (ValueError, TypeError) as error:
        return ConfigError(f"Its configuration is not JSON: {error}.")
    return config if isinstance(config, dict) else ConfigError("Its configuration is no object.")


@contextmanager
def _opened(path: Path, what: str) -> Iterator[sqlite3.Connection]:
    """The database, read only; `what` it should hold is for the message if it does not."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = _text
            yield connection
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED:
            raise ConfigError(
                f"{path} is locked by another program. Close what uses it (llm-consortium, a "
                "database browser), then import again."
            ) from error
        raise ConfigError(f"{path} holds no {what} of llm-consortium: {error}.") from error


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")  # one row that is not UTF-8 must not cost the others


_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
