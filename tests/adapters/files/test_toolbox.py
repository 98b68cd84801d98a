from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.files.folders import Folders
from consortium_mcp.adapters.files.toolbox import FolderTools
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "README.md").write_text("# Pump\nStop at 90 degrees.\n")
    (root / "src" / "main.py").write_text("def stop():\n    return 'STOP'\n")
    (root / "src" / "deep" / "long.txt").write_text("\n".join(f"line {n}" for n in range(1, 1001)))
    (root / "photo.png").write_bytes(b"\x89PNG\0stop")
    (root / ".env").write_text("stop=SECRET")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("stop SECRET")
    (tmp_path / "outside.txt").write_text("stop SECRET")
    return root


@pytest.fixture
def look(folder: Path) -> FolderTools:
    return FolderTools(Folders((folder,)))


def test_entries_are_listed_without_what_is_hidden(look: FolderTools) -> None:
    lines = look.entries().splitlines()
    assert lines == ["README.md  27 bytes", "photo.png  9 bytes", "src/"]
    assert look.entries("src").splitlines() == ["src/deep/", "src/main.py  30 bytes"]


def test_a_file_is_read_with_numbered_lines_page_by_page(look: FolderTools) -> None:
    assert look.read("README.md") == "1: # Pump\n2: Stop at 90 degrees."
    first, last = look.read("src/deep/long.txt"), look.read("src/deep/long.txt", 3)
    assert first.startswith("1: line 1\n")
    assert first.endswith("400: line 400\n[page 1 of 3]")
    assert last.endswith("1000: line 1000\n[page 3 of 3]")
    assert look.read("src/deep/long.txt", 4) == "There is no page 4: there are 3."


def test_a_text_is_found_in_any_case_in_text_files_that_are_open(look: FolderTools) -> None:
    assert look.search("stop").splitlines() == [
        "README.md:2: Stop at 90 degrees.",
        "src/main.py:1: def stop():",
        "src/main.py:2:     return 'STOP'",
    ]
    assert look.search("stop", "src").splitlines() == [
        "src/main.py:1: def stop():",
        "src/main.py:2:     return 'STOP'",
    ]
    assert look.search("stop", "README.md") == "README.md:2: Stop at 90 degrees."
    assert look.search("nowhere") == "No line below . contains 'nowhere'."
    assert look.search("  ") == "Give a text to look for."


def test_hits_come_in_pages(look: FolderTools) -> None:
    first, last = look.search("line"), look.search("line", page=10)
    assert first.splitlines()[-1].startswith("[page 1 of")
    assert last.splitlines()[0] == "src/deep/long.txt:901: line 901"


@pytest.mark.parametrize(
    "path", ["../outside.txt", ".env", ".git/config", ".git", "/etc/passwd", "absent.txt"]
)
def test_what_is_not_open_is_refused(look: FolderTools, path: str) -> None:
    for use in (look.read, look.entries, lambda where: look.search("stop", where)):
        with pytest.raises(ConfigError):
            use(path)


def test_links_that_lead_out_or_round_are_left_aside(look: FolderTools, folder: Path) -> None:
    (folder / "out").symlink_to(folder.parent)
    (folder / "src" / "round").symlink_to(folder / "src")
    assert "out" not in look.entries()
    assert "SECRET" not in look.search("stop")
    assert len(look.search("def stop").splitlines()) == 1


def test_several_folders_are_told_apart_by_their_paths(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("stop here")
    look = FolderTools(Folders((folder, other)))
    assert str(other / "notes.txt") in look.entries()
    assert f"{other / 'notes.txt'}:1: stop here" in look.search("stop here")
    assert look.read(str(other / "notes.txt")) == "1: stop here"


def test_a_search_looks_at_so_many_files_at_the_most(folder: Path) -> None:
    look = FolderTools(Folders((folder,)), most_files=1)
    assert look.search("stop").splitlines()[-1] == "[only the first 1 files were searched]"
