from __future__ import annotations

import codecs
import os
import stat
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from consortium_mcp.adapters.clients.files import content, real_path, replaced
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 25, 12, 30, 5, tzinfo=UTC)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX systems")


def more(text: str) -> str:
    return f"{text}more\n"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def link(path: Path, to: Path) -> None:
    try:
        path.symlink_to(to)
    except OSError:
        pytest.skip("links need a right that this user does not have")


def test_each_change_of_one_second_has_its_own_backup(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    assert replaced(path, more, NOW) is None
    kept = [replaced(path, more, NOW) for _ in range(3)]
    assert [(each.name, each.read_text()) for each in kept if each] == [
        ("settings.backup-20261125-123005", "more\n"),
        ("settings.backup-20261125-123005-2", "more\n" * 2),
        ("settings.backup-20261125-123005-3", "more\n" * 3),
    ]
    assert path.read_text() == "more\n" * 4
    assert names(tmp_path) == {"settings", *(each.name for each in kept if each)}


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    assert replaced(path, str, NOW) is None
    assert names(tmp_path) == set()
    path.write_text("a")
    before = path.stat()
    assert replaced(path, str, NOW) is None
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert names(tmp_path) == {"settings"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\n", "a\nb\nmore\n"),
        ("a\r\nb\r\n", "a\r\nb\r\nmore\r\n"),
        ("a\r\nb\nc\r\n", "a\r\nb\nc\r\nmore\r\n"),
        ("a\nb\r\nc\n", "a\nb\r\nc\nmore\n"),
    ],
)
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_line_ends_and_encoding_stay(
    tmp_path: Path, mark: bytes, encoding: str, before: str, after: str
) -> None:
    path = tmp_path / "settings"
    path.write_bytes(mark + f"ü{before}".encode(encoding))
    assert content(path).text == f"ü{before}".replace("\r\n", "\n")
    replaced(path, more, NOW)
    assert path.read_bytes() == mark + f"ü{after}".encode(encoding)


def test_what_is_no_text_is_said_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(ConfigError, match=r"no UTF-8 .* at byte 3.* Save it as UTF-8"):
        replaced(path, more, NOW)
    path.write_bytes(codecs.BOM_UTF16_LE + b"a")
    with pytest.raises(ConfigError, match="no UTF-16-LE"):
        replaced(path, more, NOW)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        replaced(path, more, NOW)
    assert names(tmp_path) == {"settings"}


def test_a_refused_edit_leaves_everything(tmp_path: Path) -> None:
    def refuse(_: str) -> str:
        raise ConfigError("no")

    path = tmp_path / "settings"
    path.write_text("a")
    with pytest.raises(ConfigError, match="no"):
        replaced(path, refuse, NOW)
    assert path.read_text() == "a"
    assert names(tmp_path) == {"settings"}


def test_what_another_program_writes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("a")

    def edit(text: str) -> str:
        path.write_text("theirs")
        return more(text)

    with pytest.raises(ConfigError, match="changed by another program"):
        replaced(path, edit, NOW)
    assert path.read_text() == "theirs"
    assert names(tmp_path) == {"settings"}


def test_a_lock_that_stays_held_is_said(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("a")
    with (
        FileLock(tmp_path / ".settings.lock"),
        pytest.raises(ConfigError, match="being changed by another consortium-mcp"),
    ):
        replaced(path, more, NOW, wait=0.01)
    assert path.read_text() == "a"


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666])
def test_the_mode_stays_and_the_backup_has_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "settings"
    path.write_text("a")
    path.chmod(mode)
    backup = replaced(path, more, NOW)
    assert backup is not None
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, backup)] == [mode, mode]


@POSIX
def test_the_owner_stays_and_the_backup_has_it(tmp_path: Path) -> None:
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root may give files away")
    path = tmp_path / "settings"
    path.write_text("a")
    os.chown(path, 1234, 2345)
    backup = replaced(path, more, NOW)
    assert backup is not None
    for each in (path, backup):
        assert (each.stat().st_uid, each.stat().st_gid) == (1234, 2345)
    os.chown(tmp_path, 1234, 2345)
    begun = tmp_path / "begun"
    replaced(begun, more, NOW)
    assert (begun.stat().st_uid, begun.stat().st_gid) == (1234, 2345)


@POSIX
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    if sys.platform != "win32" and os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    path = tmp_path / "settings"
    path.write_text("a")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            replaced(path, more, NOW)
    finally:
        tmp_path.chmod(0o700)


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "settings"
    kept.parent.mkdir()
    there = tmp_path / "settings"
    link(there, kept)
    assert real_path(there) == kept
    replaced(real_path(there), more, NOW)
    assert there.is_symlink()
    assert kept.read_text() == "more\n"


def test_a_link_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    link(one, two)
    link(two, one)
    with pytest.raises(ConfigError, match="leads back to itself"):
        real_path(one)
    lost = tmp_path / "lost"
    link(lost, tmp_path / "none" / "settings")
    with pytest.raises(ConfigError, match="there is no folder"):
        real_path(lost)
