"""The tools `folder_list`, `folder_read` and `folder_search`: a look into the open folders.

What a member sees is bounded, page by page, and refused as attachments are. Errors are answers: a
model that mistypes a path shall try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.adapters.files.decoding import text_of
from consortium_mcp.adapters.files.folders import Folders, read_file
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRIES_PER_PAGE = 200
LINES_PER_PAGE = 400
LONGEST_LINE = 500
"""Characters of a line that are shown."""
HITS_PER_PAGE = 100
MAX_FILE_BYTES = 2_000_000
"""Larger files are neither read nor searched."""
MAX_FILES_SEARCHED = 5_000


class FolderTools:
    """Looks into folders; nothing is written.

    Args:
        folders: those that the user has opened.
        most_files: how many files one search looks at.
    """

    def __init__(self, folders: Folders, most_files: int = MAX_FILES_SEARCHED) -> None:
        self._folders = folders
        self._most_files = most_files

    def entries(self, path: str = ".", page: int = 1) -> str:
        """List the files and folders at a path, 200 a page."""
        lines = []
        for folder in self._starts(path):
            for entry in self._folders.entries(folder):
                is_folder = entry.is_dir()
                size = "" if is_folder else f"  {entry.stat().st_size} bytes"
                lines.append(f"{self._shown(entry)}{'/' if is_folder else ''}{size}")
        return _page(lines, page, ENTRIES_PER_PAGE, f"There is nothing in {path}.")

    def read(self, path: str, page: int = 1) -> str:
        """Read a text file, 400 numbered lines a page."""
        found = self._folders.find(path)
        text = text_of(read_file(found, path, MAX_FILE_BYTES), path, ())
        lines = [f"{n}: {_cut(line)}" for n, line in enumerate(text.splitlines(), 1)]
        return _page(lines, page, LINES_PER_PAGE, f"{path} is empty.")

    def search(self, text: str, path: str = ".", page: int = 1) -> str:
        """Find the lines that contain a text, in any case, below a path, 100 a page."""
        wanted = text.casefold()
        if not wanted.strip():
            return "Give a text to look for."
        hits: list[str] = []
        for count, file in enumerate(self._files(path)):
            if count == self._most_files:
                hits.append(f"[only the first {self._most_files} files were searched]")
                break
            try:
                content = text_of(read_file(file, file.name, MAX_FILE_BYTES), file.name, ())
            except ConfigError:  # no text, or too large
                continue
            if wanted in content.casefold():
                hits += [
                    f"{self._shown(file)}:{number}: {_cut(line)}"
                    for number, line in enumerate(content.splitlines(), 1)
                    if wanted in line.casefold()
                ]
            if len(hits) > page * HITS_PER_PAGE:
                break
        return _page(hits, page, HITS_PER_PAGE, f"No line below {path} contains {text!r}.")

    def _starts(self, path: str) -> list[Path]:
        """The folder at the path; for `.`, each open folder."""
        if path.strip() in {"", ".", "./", "/"}:
            return [self._folders.find(str(root.absolute())) for root in self._folders.roots]
        found = self._folders.find(path)
        if not found.is_dir():
            raise ConfigError(f"{path} is a file: read it with folder_read.")
        return [found]

    def _files(self, path: str) -> Iterator[Path]:
        """The files below a path, folder by folder."""
        found = None if path.strip() in {"", ".", "./", "/"} else self._folders.find(path)
        if found is not None and found.is_file():
            yield found
            return
        waiting = self._starts(path)[::-1]
        seen: set[Path] = set()
        while waiting:
            folder = waiting.pop()
            if folder in seen:  # a link that leads back
                continue
            seen.add(folder)
            entries = [entry.resolve() for entry in self._folders.entries(folder)]
            yield from (entry for entry in entries if entry.is_file())
            waiting += [entry for entry in reversed(entries) if entry.is_dir()]

    def _shown(self, path: Path) -> str:
        """The path as `find` takes it: relative where there is one folder."""
        roots = self._folders.roots
        if len(roots) == 1 and path.is_relative_to(roots[0].resolve()):
            return path.relative_to(roots[0].resolve()).as_posix()
        return str(path)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} […]"


def _page(lines: list[str], page: int, size: int, nothing: str) -> str:
    if not lines:
        return nothing
    pages = -(-len(lines) // size)
    if not 1 <= page <= pages:
        return f"There is no page {page}: there are {pages}."
    shown = "\n".join(lines[(page - 1) * size : page * size])
    return shown if pages == 1 else f"{shown}\n[page {page} of {pages}]"
