"""Folders that the user has opened to the models, and the files in them that may be read.

A model that names a path must not get at anything else: not through `..` or a link, not at hidden
files such as `.env`, not at keys, and not at devices, which never end.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOW_TO_OPEN = (
    "Name the folder in CONSORTIUM_FILES in the settings of this server, or give the content "
    "itself (text or base64)."
)
_SECRET = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?!\.pub$).*"
    r"|.*\.(?:pem|key|p8|p12|pfx|ppk|jks|kdbx|keystore|env)"
    r"|(?:keys|credentials?|secrets?|tokens?)\.(?:json|ya?ml|toml)"
    r"|(?:client_secret|service[-_]account).*\.json|_?netrc"
)
"""Names of files that hold keys, as `folded` gives them."""
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:[ .].*)?", re.IGNORECASE
)
"""Names that are devices on Windows, in every folder and with every ending."""
_NO_FILES = (Path("/dev"), Path("/proc"), Path("/sys"))
"""What is in them looks like files; `/proc/self/environ` has the keys."""
_SHOWN = 200
"""Characters of a path that an error repeats."""


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
        shown = path[:_SHOWN]
        if not self.roots:
            raise ConfigError(f"{shown} was not read: no folder is open to models. {HOW_TO_OPEN}")
        given = Path(path)
        if why := why_refused(given, self.roots):
            raise ConfigError(f"{shown} was not read: {why}.")
        there = [(root, found) for root in self._real_roots() if (found := _below(root, given))]
        for root, found in there:
            if self._is_open(found, root):
                return found
        if there:
            raise ConfigError(
                f"{shown} was not read: hidden files and those that hold keys stay closed. If it "
                "is harmless, copy it under another name."
            )
        if given.is_absolute():
            raise ConfigError(
                f"{shown} was not read: it is not in a folder that is open to models, or leads out "
                f"of it, or is not there. {HOW_TO_OPEN}"
            )
        raise ConfigError(f"There is no {shown} in {self}.")

    def _is_open(self, found: Path, root: Path) -> bool:
        """Whether a file or folder below this root may be read."""
        if any(_holds(each, found) for each in (*map(_real, self.closed), *_NO_FILES)):
            return False
        names = found.relative_to(root).parts
        if any(is_hidden(name) for name in names) or is_secret(found.name):
            return False
        try:
            return not any(_has_hidden_mark(each) for each in (found, *found.parents)[: len(names)])
        except OSError:
            return False

    def entries(self, folder: Path) -> Iterator[Path]:
        """What may be seen in a folder that `find` gave, sorted by name."""
        root = next(each for each in self._real_roots() if folder.is_relative_to(each))
        for entry in sorted(folder.iterdir()):
            try:
                real = entry.resolve(strict=True)
            except (OSError, RuntimeError):
                continue
            if (
                real.is_relative_to(root)
                and self._is_open(real, root)
                and not is_hidden(entry.name)
            ):
                yield entry

    def _real_roots(self) -> list[Path]:
        return [real for each in self.roots if (real := _real(each)).is_dir()]

    def __str__(self) -> str:
        """The folders, as an error shows them."""
        return ", ".join(str(each) for each in self.roots)


def _real(path: Path) -> Path:
    return path.expanduser().resolve()


def _below(root: Path, given: Path) -> Path | None:
    """The file, if it is below this root; `None` where it is not, or is not there."""
    try:
        found = (root / given).resolve(strict=True)
    except (OSError, RuntimeError):  # not there, or links that lead in a circle
        return None
    return found if found.is_relative_to(root) else None


def _holds(folder: Path, found: Path) -> bool:
    """Whether it is this folder or in it, on file systems that fold case too."""
    of = [folded(each) for each in folder.parts]
    return [folded(each) for each in found.parts[: len(of)]] == of


def why_refused(given: PurePath, roots: Sequence[PurePath]) -> str | None:
    r"""Why a path is refused before anything is looked at; `None` where it is not.

    On Windows to look is too late: to look at `\\server\share` signs the user in there, and to
    open `COM1` or `a.txt:stream` opens something else than a file of that name.
    """
    if "\0" in str(given):
        return "it has a zero byte"
    if ".." in given.parts:
        return "write the path without '..'"
    if not isinstance(given, PureWindowsPath):
        return None
    if given.drive and given.drive.lower() not in {root.drive.lower() for root in roots}:
        return f"it is not in a folder that is open to models. {HOW_TO_OPEN[:-1]}"
    names = given.parts[bool(given.anchor) :]
    if any(":" in name or _DEVICE.fullmatch(name) for name in names):
        return "it is no name of an ordinary file"
    return None


def is_hidden(name: str) -> bool:
    """Whether a file of this name is hidden, in the spelling of any file system."""
    return folded(name).startswith(".")


def is_secret(name: str) -> bool:
    """Whether files of this name hold keys. Windows drops dots and spaces at its end."""
    return _SECRET.fullmatch(folded(name).rstrip(". ")) is not None


def _has_hidden_mark(path: Path) -> bool:
    """Whether Windows or macOS hides it, whatever its name is."""
    status = path.stat()
    attributes, flags = (getattr(status, f"st_{each}", 0) for each in ("file_attributes", "flags"))
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN or flags & stat.UF_HIDDEN)


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
