"""Which files may be read: what is open, and the ways in which a model may try at the rest."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from consortium_mcp.adapters.files.folders import (
    Folders,
    is_hidden,
    is_secret,
    read_file,
    why_refused,
)
from consortium_mcp.core.domain.errors import ConfigError


def link(path: Path, target: Path) -> Path:
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except (OSError, NotImplementedError):
        pytest.skip("no links here")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "open"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("print()")
    (tmp_path / "outside.txt").write_text("SECRET")
    return folder


def read(path: str, *roots: Path, closed: tuple[Path, ...] = ()) -> bytes:
    return Folders(roots, closed).read(path, 1_000)


def refusal(path: str, *roots: Path, closed: tuple[Path, ...] = ()) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, *roots, closed=closed)
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_by_its_relative_and_its_absolute_path(root: Path) -> None:
    assert read("src/main.py", root) == b"print()"
    assert read(str(root / "src" / "main.py"), root) == b"print()"


def test_a_root_may_be_hidden_or_a_link(root: Path, tmp_path: Path) -> None:
    hidden = tmp_path / ".config" / "project"
    shutil.copytree(root, hidden)
    assert read("src/main.py", hidden) == b"print()"
    linked = link(tmp_path / "linked", root)
    assert read("src/main.py", linked) == b"print()"
    assert read(str(linked / "src" / "main.py"), linked) == b"print()"
    assert read(str(root / "src" / "main.py"), linked) == b"print()"


def test_of_nested_roots_the_one_that_opens_a_file_counts(root: Path) -> None:
    inner = root / ".notes"
    inner.mkdir()
    (inner / "a.txt").write_text("a")
    assert "stay closed" in refusal(str(inner / "a.txt"), root)
    for roots in ((root, inner), (inner, root)):
        assert read(str(inner / "a.txt"), *roots) == b"a"
        assert read("a.txt", *roots) == b"a"


def test_a_root_that_is_gone_or_a_file_opens_nothing(root: Path) -> None:
    assert "There is no a.txt" in refusal("a.txt", root / "gone", root / "src" / "main.py")
    assert "no folder is open" in refusal("a.txt")


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".ENV", ".git/config", "src/.hidden", "keys.json", "Keys.JSON", "server.pem",
        "ID_RSA", "id_ed25519_sk", "id_rsa.bak", "prod.env", "secrets.yaml", "client_secret_1.json",
        "service-account.json", "token.json", "_netrc", "wallet.kdbx", "login.keystore",
    ],
)  # fmt: skip
def test_hidden_files_and_keys_stay_closed(root: Path, name: str) -> None:
    file = root / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("SECRET")
    assert "stay closed" in refusal(name, root)
    assert "stay closed" in refusal(str(file), root)
    other = link(root / "harmless.txt", file)
    assert "stay closed" in refusal(other.name, root)


@pytest.mark.parametrize("name", ["id_rsa.pub", "keyboard.json", "environment.md", "monkey.py"])
def test_names_that_only_look_alike_are_open(root: Path, name: str) -> None:
    (root / name).write_text("a")
    assert read(name, root) == b"a"


@pytest.mark.parametrize(
    "name",
    ["\u200c.env", ".\u200denv", "．env"],
)
def test_spellings_that_a_file_system_may_fold_are_hidden_too(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize(
    "name", ["key\u017f.json", "server.pem.", "server.pem. .", "KEYS.JSON", "i\u200dd_rsa"]
)
def test_spellings_of_keys_that_a_file_system_may_fold_are_keys_too(name: str) -> None:
    assert is_secret(name)


def test_what_is_closed_stays_so_in_every_spelling(root: Path) -> None:
    user_dir = root / "LLM"
    user_dir.mkdir()
    for name in ("logs.db", "aliases.txt"):
        (user_dir / name).write_text("SECRET")
    assert "stay closed" in refusal("LLM/logs.db", root, closed=(user_dir,))
    assert "stay closed" in refusal("LLM/logs.db", root, closed=(root / "llm",)), "as macOS folds"
    assert "stay closed" in refusal("LLM/aliases.txt", user_dir, root, closed=(user_dir,))
    (root / "LLM-notes").mkdir()
    (root / "LLM-notes" / "a.txt").write_text("a")
    assert read("LLM-notes/a.txt", root, closed=(user_dir,)) == b"a"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no such files here")
@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/cmdline", "/dev/null"])
def test_where_the_whole_disk_is_open_the_systems_own_files_are_not(path: str) -> None:
    assert "stay closed" in refusal(path, Path("/"))


def test_ways_out_of_the_folder_lead_nowhere(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    assert "without '..'" in refusal("../outside.txt", root)
    assert "without '..'" in refusal(f"{root}/src/../../outside.txt", root)
    assert "not in a folder" in refusal(str(outside), root)
    assert "zero byte" in refusal("src/main.py\0.txt", root)
    link(root / "link.txt", outside)
    link(root / "up", tmp_path)
    link(root / "circle", root / "circle")
    for path in ("link.txt", "up/outside.txt", "circle", "~/a.txt", "a" * 10_000):
        assert len(said := refusal(path, root)) < 1_000
        assert "There is no" in said


def test_a_folder_that_only_begins_like_a_root_is_not_in_it(root: Path, tmp_path: Path) -> None:
    beside = tmp_path / "open and more"
    beside.mkdir()
    (beside / "a.txt").write_text("SECRET")
    assert "not in a folder" in refusal(str(beside / "a.txt"), root)


WINDOWS = PureWindowsPath(r"C:\work")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (r"\\server\share\a.txt", "not in a folder"),
        (r"//server/share/a.txt", "not in a folder"),
        (r"\\?\C:\work\a.txt", "not in a folder"),
        (r"\\.\pipe\a", "not in a folder"),
        (r"D:\a.txt", "not in a folder"),
        (r"D:a.txt", "not in a folder"),
        (r"C:\work\a.txt:stream", "no name of an ordinary file"),
        (r"keys.json::$DATA", "no name of an ordinary file"),
        ("CON", "no name of an ordinary file"),
        ("src/nul.txt", "no name of an ordinary file"),
        ("com1", "no name of an ordinary file"),
        ("LPT9 .log", "no name of an ordinary file"),
        (r"..\a.txt", "without '..'"),
        (r"c:\work\a.txt", None),
        ("console.txt", None),
        (r"src\com10.txt", None),
    ],
)
def test_on_windows_what_would_open_something_else_is_not_looked_at(
    path: str, told: str | None
) -> None:
    why = why_refused(PureWindowsPath(path), [WINDOWS])
    assert why is None if told is None else told in (why or "")


def test_elsewhere_such_names_are_ordinary() -> None:
    for path in ("2026-01-01T10:00.log", "aux.c", "CON"):
        assert why_refused(PurePosixPath(path), [PurePosixPath("/work")]) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.txt")
    assert "no ordinary file" in refusal("pipe.txt", root)
    with pytest.raises(ConfigError, match="no ordinary file"):
        read_file(root / "pipe.txt", "pipe.txt", 10)


def test_a_folder_is_no_file(root: Path) -> None:
    assert "no ordinary file" in refusal("src", root)
    assert "no ordinary file" in refusal(".", root)


def test_a_large_file_is_refused_before_it_is_read(root: Path) -> None:
    with (root / "sparse.bin").open("wb") as file:
        file.truncate(5_000_000_000)
    assert "5000.0 MB" in refusal("sparse.bin", root)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="no file without a size here")
def test_a_file_that_grows_is_read_no_further_than_the_limit() -> None:
    assert Path("/proc/version").stat().st_size == 0
    with pytest.raises(ConfigError, match="at most"):
        read_file(Path("/proc/version"), "version", 5)


def test_a_link_that_is_put_in_place_of_the_file_is_not_followed(
    root: Path, tmp_path: Path
) -> None:
    if not hasattr(os, "O_NOFOLLOW"):
        pytest.skip("the system cannot refuse links")
    swapped = link(root / "swapped.txt", tmp_path / "outside.txt")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(swapped, "swapped.txt", 100)


def test_a_file_without_permission_says_so(root: Path) -> None:
    file = root / "closed.txt"
    file.write_text("SECRET")
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read everything")
    assert "cannot be read" in refusal("closed.txt", root)


@pytest.mark.skipif(sys.platform not in {"win32", "darwin"}, reason="no such mark here")
def test_what_the_system_marks_as_hidden_hides_what_is_in_it(root: Path) -> None:
    if sys.platform == "win32":
        subprocess.run(["attrib", "+h", str(root / "src")], check=True)  # noqa: S607
    elif sys.platform == "darwin":
        os.chflags(root / "src", stat.UF_HIDDEN)
    assert "stay closed" in refusal("src/main.py", root)


def test_a_list_shows_what_may_be_read(root: Path, tmp_path: Path) -> None:
    (root / "b.txt").write_text("b")
    (root / ".env").write_text("SECRET")
    (root / "keys.json").write_text("SECRET")
    folders = Folders((root,))
    assert [each.name for each in folders.entries(folders.find("."))] == ["b.txt", "src"]
    link(root / "out.txt", tmp_path / "outside.txt")
    link(root / "gone.txt", root / "nothing")
    link(root / ".b", root / "b.txt")
    link(root / "c.txt", root / "b.txt")
    assert [each.name for each in folders.entries(folders.find("."))] == ["b.txt", "c.txt", "src"]
