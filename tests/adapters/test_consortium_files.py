from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.consortium_files import export_text, original_database, read_file
from consortium_mcp.core.domain.errors import ConfigError
from tests.support.fakes import config

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_exported_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    saved = config("a", "b", name="mine", system="Ünïcode.")
    file.write_text(export_text([saved]), encoding="utf-8")
    assert read_file(file) == {"mine": saved}


def test_configurations_of_the_original_by_name_are_read(tmp_path: Path) -> None:
    file = tmp_path / "original.json"
    file.write_text(json.dumps({"mine": {"models": ["a"]}}), encoding="utf-8")
    assert read_file(file) == {"mine": {"models": ["a"]}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an export"),
        (b"{", "not an export"),
        (b"\xff\xfe", "not an export"),
        (b"[1]", "holds no consortiums"),
        (b'{"a": 1}', "holds no consortiums"),
        (b'{"consortiums": [{"name": "x"}]}', "not an export"),
        (b'{"consortiums": [{"name": "x", "members": [], "arbiter": "a"}]}', "not an export"),
        (b"SQLite format 3\x00 and then rubbish", "of llm-consortium"),
    ],
)
def test_anything_else_is_refused_with_what_it_should_be(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_file(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.json cannot be read"):
        read_file(tmp_path / "nothing.json")


def test_a_database_without_consortiums_is_not_the_originals(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "logs.db").close()
    (tmp_path / "consortium_logs.db").write_bytes(b"rubbish" * 99)
    with pytest.raises(ConfigError, match="Name the FILE"):
        original_database(tmp_path)
