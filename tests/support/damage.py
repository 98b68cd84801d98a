"""Ways in which a database comes to harm, and files that stand in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = 4096


def overwritten(database: Path) -> None:
    database.write_bytes(bytes(range(256)) * 64)


def text(database: Path) -> None:
    database.write_text("my shopping list, which must not be lost " * 10)


def a_few_bytes(database: Path) -> None:
    database.write_bytes(b"SQLite fo")


def cut_short(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])


def all_pages_but_the_first(database: Path) -> None:
    size = database.stat().st_size
    database.write_bytes(database.read_bytes()[:PAGE] + b"\xa5" * (size - PAGE))


DAMAGED: list[Callable[[Path], None]] = [
    overwritten, text, a_few_bytes, cut_short, all_pages_but_the_first,
]  # fmt: skip


def page_of(database: Path, table: str) -> int:
    """The number of the table's first page."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table])
        return int(rows.fetchone()[0])


def damage_page(database: Path, page: int) -> None:
    with database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


def of_another_program(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE people (name)")
        connection.execute("INSERT INTO people VALUES ('Ada')")
        connection.commit()


UNUSABLE: list[Callable[[Path], None]] = [folder, of_another_program]
"""Not ours to set aside."""
