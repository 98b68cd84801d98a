"""Folders that the user has opened to the models, and the files in them that may be read.

A model that names a path must not get at anything else: not through `..` or a link, not at hidden
files such as `.env`, not at keys, and not at devices, which never end.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO_OPEN = (
    "Name the folder in CONSORTIUM_FILES in the settings of this server, or give the content "
    "itself (text or base64)."
)
_SECRET = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|jks|kdbx|keystore|env)"
    r"|(?:keys|credentials|secrets)\.json|_?netrc",
    re.IGNORECASE,
)
"""Names of files that hold keys."""
_HIDDEN_ON_WINDOWS = 2
"""`FILE_ATTRIBUTE_HIDDEN`."""


@dataclass(frozen=True)
class Folders:
    """Folders whose files may be read.

    Args:
        roots: the folders; no file elsewhere is read.
        closed: folders that stay closed even where a root holds them, such as llm's own, with the
            user's keys.
    """

    roots: tuple[Path, ...]
    closed: tuple[Path, ...] = ()

    def read(self, path: str, most_bytes: int) -> bytes:
        """The content of a file below one of the folders.

        Args:
            path: absolute, or relative to one of them.
            most_bytes: a larger file is refused before it is read.

        Raises:
            ConfigError: it may not be read, or cannot; the message says what to do.
        """
        return read_file(self.find(path), path, most_bytes)

    def find(self, path: str) -> Path:
        """The file or folder of this path, every link followed.

        Raises:
            ConfigError: it is not below one of the folders, hidden, or not there.
        """
        if not self.roots:
            raise ConfigError(f"{path} was not read: no folder is open to models. {HOW_TO_OPEN}")
        given = Path(path)
        if ".." in given.parts or "\0" in path or ":" in "".join(given.parts[bool(given.drive) :]):
            raise ConfigError(f"{path} was not read: write the path without '..' and ':'.")
        for root in self._real_roots():
            if found := self._below(root, given):
                return found
        if given.is_absolute():
            raise ConfigError(
                f"{path} was not read: it is not in a folder that is open to models, or leads out "
                f"of it. {HOW_TO_OPEN}"
            )
        raise ConfigError(f"There is no {path} in {self}.")

    def _below(self, root: Path, given: Path) -> Path | None:
        """The file, if it is below this root; `None` where it is not, or is not there."""
        try:
            found = (root / given).resolve(strict=True)
        except (OSError, RuntimeError):  # not there, or links that lead in a circle
            return None
        if not found.is_relative_to(root):
            return None
        as_written = given.relative_to(root) if given.is_relative_to(root) else given
        names = () if given.is_absolute() and not given.is_relative_to(root) else as_written.parts
        if not self._is_open(found, root) or any(name.startswith(".") for name in names):
            raise ConfigError(
                f"{given} was not read: hidden files and those that hold keys stay closed. If it "
                "is harmless, copy it under another name."
            )
        return found

    def _is_open(self, found: Path, root: Path) -> bool:
        if any(found.is_relative_to(_real(each)) for each in self.closed):
            return False
        below = found.relative_to(root).parts
        if any(name.startswith(".") for name in below) or _SECRET.fullmatch(found.name):
            return False
        try:
            attributes = getattr(found.stat(), "st_file_attributes", 0)
        except OSError:
            return False
        return not attributes & _HIDDEN_ON_WINDOWS

    def entries(self, folder: Path) -> Iterator[Path]:
        """What may be seen in a folder that `find` gave, sorted by name."""
        root = next(each for each in self._real_roots() if folder.is_relative_to(each))
        for entry in sorted(folder.iterdir()):
            try:
                real = entry.resolve(strict=True)
            except (OSError, RuntimeError):
                continue
            if real.is_relative_to(root) and self._is_open(real, root) and entry.name[0] != ".":
                yield entry

    def _real_roots(self) -> list[Path]:
        return [real for each in self.roots if (real := _real(each)).is_dir()]

    def __str__(self) -> str:
        """The folders, as an error shows them."""
        return ", ".join(str(each) for each in self.roots)


def _real(path: Path) -> Path:
    return path.expanduser().resolve()


def read_file(found: Path, name: str, most_bytes: int) -> bytes:
    """The content of an ordinary file.

    Args:
        found: the file.
        name: how the user wrote it.
        most_bytes: a larger file is refused.

    Raises:
        ConfigError: it is no ordinary file, too large, or cannot be read.
    """
    # Not O_RDONLY alone: a pipe would be waited for, and a link put there meanwhile followed.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        if not stat.S_ISREG(found.stat().st_mode):  # to open a device may already do something
            raise ConfigError(f"{name} was not read: it is no ordinary file.")
        descriptor = os.open(found, flags)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror or error}.") from error
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor)
        if not stat.S_ISREG(size.st_mode):
            raise ConfigError(f"{name} was not read: it is no ordinary file.")
        if size.st_size > most_bytes:
            raise ConfigError(too_large(name, size.st_size, most_bytes))
        try:
            content = file.read(most_bytes + 1)
        except OSError as error:
            raise ConfigError(f"{name} cannot be read: {error.strerror or error}.") from error
    if len(content) > most_bytes:  # it grew meanwhile
        raise ConfigError(too_large(name, len(content), most_bytes))
    return content


def too_large(name: str, size: int, most_bytes: int) -> str:
    """Says that a file is too large, and what to do."""
    return (
        f"{name} has {size / 1e6:.1f} MB, and at most {most_bytes / 1e6:g} MB are sent: "
        "attach a smaller file, or the part of it that matters."
    )
