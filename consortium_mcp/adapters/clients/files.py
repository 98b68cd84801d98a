"""A settings file on disk: read with its encoding and line ends, replaced whole, a backup kept.

Programs that change the same file at once wait for one another. What is written keeps the file's
mode, owner, encoding and line ends, and a link stays a link.
"""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import MARKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Content:
    """What a file holds; `raw` is `None` if there is no file."""

    raw: bytes | None
    mark: bytes = b""
    encoding: str = "utf-8"

    @property
    def text(self) -> str:
        r"""The text without its mark, every line ended by `\n`."""
        return self._as_it_is().replace("\r\n", "\n")

    def encoded(self, text: str) -> bytes:
        r"""This text, whose lines end with `\n`, in the file's own encoding and line ends.

        A line that was in the file keeps its end; a new one gets the end that most lines have.
        """
        as_it_is = self._as_it_is()
        if "\r\n" not in as_it_is:
            return self.mark + text.encode(self.encoding)
        old = as_it_is.split("\n")
        ends = ["\r" if line.endswith("\r") else "" for line in old]
        lines = [line.removesuffix("\r") for line in old]
        new = text.split("\n")
        usual = "\r" if 2 * ends.count("\r") > len(ends) - 1 else ""
        found = [usual] * len(new)
        found[-1] = ""  # no line end follows the last one
        matcher = difflib.SequenceMatcher(None, lines, new, autojunk=False)
        for start, there, size in matcher.get_matching_blocks():
            for offset in range(size):
                if start + offset < len(old) - 1 and there + offset < len(new) - 1:
                    found[there + offset] = ends[start + offset]
        joined = "\n".join(line + end for line, end in zip(new, found, strict=True))
        return self.mark + joined.encode(self.encoding)

    def _as_it_is(self) -> str:
        return (self.raw or b"")[len(self.mark) :].decode(self.encoding)


def content(path: Path) -> Content:
    """What the file holds.

    Raises:
        ConfigError: it cannot be read, or its bytes are no text.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Content(None)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    mark, encoding = next((m for m in MARKS if raw.startswith(m[0])), (b"", "utf-8"))
    found = Content(raw, mark, encoding)
    try:
        _ = found.text
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} cannot be read: it is no {encoding.upper()} ({error.reason} at byte "
            f"{len(mark) + error.start}). Save it as UTF-8 in an editor and try again."
        ) from error
    return found


def real_path(path: Path) -> Path:
    """The file that a link leads to, so that the link stays; the path itself if it is none.

    Raises:
        ConfigError: the link leads round in a circle, or to a folder that is not there.
    """
    try:
        real = path.resolve()
        if real.is_symlink():  # since Python 3.13 `resolve` gives a circle back as it is
            raise RuntimeError  # noqa: TRY301 (what it raised until then)
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"{path} is a link that leads back to itself. Remove it, or let it lead to a file."
        ) from error
    if path.is_symlink() and not real.parent.is_dir():
        raise ConfigError(
            f"{path} is a link to {real}, but there is no folder {real.parent}. Make it, or "
            "remove the link."
        )
    return real


def replaced(
    path: Path, edit: Callable[[str], str], now: datetime, wait: float = LOCK_SECONDS
) -> Path | None:
    """Change the file by `edit`, with every other program of ours kept waiting meanwhile.

    Args:
        path: the file, no link; it need not exist, but its folder must.
        edit: from the text to the new text; what it raises leaves the file as it is.
        now: for the backup's name.
        wait: how many seconds to wait for another program of ours that is changing the same file.

    Returns:
        The backup, a file beside it; `None` if there was no file or nothing changed.

    Raises:
        ConfigError: it cannot be read or written; it has not changed.
    """
    with locked(path, wait):
        before = content(path)
        after = edit(before.text)
        if after == before.text:
            return None
        try:
            return _replace(path, before, before.encoded(after), now)
        except OSError as error:
            raise _unwritable(path, error) from error


def copied(path: Path, now: datetime) -> Path | None:
    """Keep a copy beside the file before another program changes it; `None` if there is none.

    Raises:
        ConfigError: it cannot be read or the copy cannot be written.
    """
    raw = content(path).raw
    try:
        return None if raw is None else _backup(path, raw, now)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def locked(path: Path, wait: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep every other program of ours from changing the file meanwhile.

    Raises:
        ConfigError: another one has kept us waiting for that many seconds, or there is no right to
            make a file in the folder.
    """
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file, timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigError(
            f"{path} is being changed by another consortium-mcp, which has not ended for "
            f"{wait:.0f} seconds. Wait for it or end it, and try again."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        if sys.platform != "win32":  # there the lock takes its file away itself
            # While it is held: whoever waits for this file sees that it has gone and makes another.
            with suppress(OSError):
                file.unlink()
        lock.release()


def _replace(path: Path, before: Content, after: bytes, now: datetime) -> Path | None:
    backup: Path | None = None
    with ExitStack() as undo:
        new = _neighbour(path, after)
        undo.callback(new.unlink, missing_ok=True)
        if before.raw is not None:
            backup = _backup(path, before.raw, now)
            undo.callback(backup.unlink, missing_ok=True)
        _check_unchanged(path, before)
        os.replace(new, path)  # noqa: PTH105 (its docs say what it does on every system)
        undo.pop_all()
    return backup


def _check_unchanged(path: Path, before: Content) -> None:
    """Programs that do not know our lock write this file too, at any moment."""
    if content(path) != before:
        raise ConfigError(
            f"{path} was changed by another program at this moment, and not by us. Try again."
        )


def _neighbour(path: Path, data: bytes) -> Path:
    """A new file beside it, with its owner and mode."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    new = Path(name)
    try:
        _fill(descriptor, data)
        _like(path, new)
    except OSError:
        new.unlink()
        raise
    return new


def _backup(path: Path, data: bytes, now: datetime) -> Path:
    """A copy beside it, under a name that nothing has yet."""
    stem = f"{path.name}.backup-{now:%Y%m%d-%H%M%S}"
    number = 1
    while True:
        backup = path.with_name(stem if number == 1 else f"{stem}-{number}")
        try:
            # Only its owner may read it from the start: it may hold other servers' keys.
            descriptor = os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600)
        except FileExistsError:
            number += 1
            continue
        try:
            _fill(descriptor, data)
            _like(path, backup)
        except OSError:
            backup.unlink()
            raise
        return backup


_BINARY = getattr(os, "O_BINARY", 0)


def _fill(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _like(path: Path, copy: Path) -> None:
    """Give the copy the owner and the mode of the file; of a file to come, its folder's owner.

    Raises:
        OSError: the owner may not be given away; the file is somebody else's.
    """
    there = path.exists()
    if sys.platform != "win32":
        wanted, has = (path if there else path.parent).stat(), copy.stat()
        if (there or os.geteuid() == 0) and (wanted.st_uid, wanted.st_gid) != (
            has.st_uid,
            has.st_gid,
        ):
            os.chown(copy, wanted.st_uid, wanted.st_gid)
    if there:
        shutil.copystat(path, copy)  # access lists and labels as well
        os.utime(copy)  # but it is new, and programs watch for that


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be written: {error.strerror or error}. It has not changed. See whom it and "
        "its folder belong to, and whether the disk is full."
    )
