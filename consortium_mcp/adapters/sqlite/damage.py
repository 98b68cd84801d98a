"""A damaged database is set aside under a name of its own, and a new one begun in its place.

Nothing is deleted or overwritten. What was set aside is known by its name, so that every process
can tell its users about it, also later.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Identity = tuple[int, int]
"""Which file it is, whatever its name: device and number."""
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database. It goes first: a new database would take it for its own."""
_HEADER = b"SQLite format 3\x00"
_DATABASE_SUFFIXES = {".db", ".db3", ".sqlite", ".sqlite3"}
_TIME = "%Y-%m-%d-%H%M%S"
_LOCK_SECONDS = 2.0
RECENT = timedelta(days=1)
"""For so long after a database was set aside, each report says so."""


@dataclass(frozen=True)
class SetAside:
    """A damaged database under its new name."""

    path: Path
    at: datetime
    """When it was set aside, in UTC."""

    def __str__(self) -> str:
        """What its user should know, and how to get at what is in it."""
        told = (
            f"The database was damaged. It was set aside on {self.at:%Y-%m-%d at %H:%M} UTC as "
            f"{self.path}, with the consultations and saved consortiums of before, and a new one "
            "was begun."
        )
        if _is_sqlite(self.path):
            return (
                f'{told} What can still be read of it: `sqlite3 "{self.path}" .recover | sqlite3 '
                "recovered.db`, then set CONSORTIUM_DB to recovered.db. Move it elsewhere, and "
                "this note is gone."
            )
        return (
            f"{told} Its content is no SQLite database any more: it was overwritten or encrypted. "
            "Restore it from a backup, or decrypt it, and set CONSORTIUM_DB to that file. Move it "
            "elsewhere, and this note is gone."
        )

    def is_recent(self, now: datetime) -> bool:
        """Whether this is news."""
        return now - self.at < RECENT


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is damaged, or no database."""
    # The low byte is the primary result code: https://sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def identity_of(path: Path) -> Identity | None:
    """Which file has this name now; `None` if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def may_be_ours(path: Path) -> bool:
    """Whether a file that is no readable database can be a damaged one, and not, say, a text.

    `CONSORTIUM_DB` may name another file by mistake; that one keeps its name.
    """
    return path.suffix.lower() in _DATABASE_SUFFIXES or _is_sqlite(path)


def set_aside(path: Path, damaged: Identity | None) -> None:
    """Rename the damaged database and what belongs to it.

    If several processes find the damage at the same time, one of them does it.

    Args:
        path: the name of the database.
        damaged: the file that was found damaged; if another has that name by now, nothing is done.

    Raises:
        OSError: it cannot be renamed; all is as it was.
        sqlite3.Error: another process is at it for too long, or the folder cannot be written.
    """
    path = path.resolve()  # the file itself, not a link to it
    with _alone(path):
        if damaged is None or identity_of(path) != damaged:
            return
        target = _free_name(path)
        moved: list[str] = []
        try:
            for ending in (*_BESIDE, ""):
                if Path(f"{path}{ending}").exists():
                    Path(f"{path}{ending}").rename(f"{target}{ending}")
                    moved.append(ending)
        except OSError:
            for ending in moved:
                Path(f"{target}{ending}").rename(f"{path}{ending}")
            raise


def all_set_aside(path: Path) -> tuple[SetAside, ...]:
    """The databases of this name that were set aside and are still there, oldest first."""
    path = path.resolve()
    name = re.compile(
        re.escape(f"{path.stem}.damaged-")
        + r"([0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6})(?:-[0-9]+)?"
        + re.escape(path.suffix)
    )
    found: list[SetAside] = []
    with suppress(OSError):
        for each in path.parent.iterdir():
            if match := name.fullmatch(each.name):
                at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
                found.append(SetAside(each, at))
    return tuple(sorted(found, key=lambda each: (each.at, len(each.path.name), each.path.name)))


def _is_sqlite(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER
    return False


def _free_name(path: Path) -> Path:
    now = f"{datetime.now(UTC):{_TIME}}"
    number = 1
    while True:
        more = f"-{number}" if number > 1 else ""
        target = path.with_name(f"{path.stem}.damaged-{now}{more}{path.suffix}")
        if not any(Path(f"{target}{ending}").exists() for ending in ("", *_BESIDE)):
            return target
        number += 1


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time is in here.

    The lock is SQLite's own, on an empty database: it works on every system and ends with its
    process.
    """
    lock = Path(f"{path}.lock")
    with closing(sqlite3.connect(lock, timeout=_LOCK_SECONDS, isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")
        yield
    # Who waits for it meanwhile finds that nothing is left to do.
    with suppress(OSError):
        lock.unlink()
