from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consortium_mcp.adapters.clients import jsonc
from consortium_mcp.adapters.clients.configs import CLIENTS, Machine, change
from consortium_mcp.core.domain.errors import ConfigError

COMMAND, ARGS, ENV = "/opt/consortium-mcp", ["-x"], {"CONSORTIUM_LOG": "INFO"}
NOW = datetime(2026, 11, 25, 12, 30, 5, tzinfo=UTC)
HOME = Path("/home/ann")
MACHINES = {
    "linux": Machine(HOME, "linux", {}),
    "mac": Machine(HOME, "darwin", {"XDG_CONFIG_HOME": "/not/asked/there"}),
    "windows": Machine(HOME, "win32", {"APPDATA": "/home/ann/AppData/Roaming"}),
}


@pytest.mark.parametrize(
    ("client", "linux", "mac", "windows"),
    [
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            "Library/Application Support/Claude/claude_desktop_config.json",
            "AppData/Roaming/Claude/claude_desktop_config.json",
        ),
        ("cursor", ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            "Library/Application Support/Code/User/mcp.json",
            "AppData/Roaming/Code/User/mcp.json",
        ),
        ("codex", ".codex/config.toml", ".codex/config.toml", ".codex/config.toml"),
        (
            "zed",
            ".config/zed/settings.json",
            ".config/zed/settings.json",
            "AppData/Roaming/Zed/settings.json",
        ),
    ],
)
def test_each_client_keeps_its_file_where_its_system_has_such_files(
    client: str, linux: str, mac: str, windows: str
) -> None:
    found = {system: CLIENTS[client].path(machine) for system, machine in MACHINES.items()}
    assert found == {"linux": HOME / linux, "mac": HOME / mac, "windows": HOME / windows}


def test_folders_that_the_user_has_moved_are_followed() -> None:
    moved = Machine(HOME, "linux", {"XDG_CONFIG_HOME": "/etc/ann", "CODEX_HOME": "/srv/codex"})
    assert CLIENTS["zed"].path(moved) == Path("/etc/ann/zed/settings.json")
    assert CLIENTS["claude-desktop"].path(moved).is_relative_to("/etc/ann")
    assert CLIENTS["codex"].path(moved) == Path("/srv/codex/config.toml")
    bare = Machine(HOME, "win32", {})
    assert CLIENTS["vscode"].path(bare) == HOME / "AppData/Roaming/Code/User/mcp.json"


def parsed(client: str, text: str) -> dict[str, Any]:
    """What a client reads in its file."""
    if CLIENTS[client].form == "toml":
        return tomllib.loads(text)
    data: dict[str, Any] = json.loads(text)
    return data


def write(client: str, path: Path, name: str = "consortium", *, force: bool = False) -> Path | None:
    """Put our entry there; the backup."""
    kind = CLIENTS[client]
    made = change(kind, path, name, kind.entry(COMMAND, ARGS, {}), force=force)
    assert made is not None
    return made.write(NOW)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_entry_is_added_once_and_everything_else_stays(client: str, tmp_path: Path) -> None:
    kind = CLIENTS[client]
    path = tmp_path / "settings"
    if kind.form == "json":
        text = json.dumps({"theme": "Zürich", kind.section: {"other": {"command": "x"}}}, indent=4)
    else:
        text = '# mine\ntheme = "Zürich"\n\n[mcp_servers.other]\ncommand = "x"'
    path.write_text(text, encoding="utf-8")
    made = change(kind, path, "consortium", kind.entry(COMMAND, ARGS, ENV), force=False)
    assert made is not None
    backup = made.write(NOW)
    now = path.read_text(encoding="utf-8")
    assert parsed(client, now) == {
        "theme": "Zürich",
        kind.section: {
            "other": {"command": "x"},
            "consortium": dict(kind.also) | {"command": COMMAND, "args": ARGS, "env": ENV},
        },
    }
    assert now.startswith('# mine\ntheme = "Zürich"' if kind.form == "toml" else '{\n    "theme"')
    assert backup == tmp_path / "settings.backup-20261125-123005"
    assert backup.read_text(encoding="utf-8") == text
    assert {each.name for each in tmp_path.iterdir()} == {path.name, backup.name}
    assert change(kind, path, "consortium", kind.entry(COMMAND, ARGS, ENV), force=False) is None


@pytest.mark.parametrize("client", CLIENTS)
def test_a_file_that_is_not_there_yet_or_empty_is_begun(client: str, tmp_path: Path) -> None:
    path = tmp_path / "settings"
    assert write(client, path) is None
    begun = path.read_text(encoding="utf-8")
    path.write_text("\n", encoding="utf-8")
    assert write(client, path) is not None
    assert path.read_text(encoding="utf-8") == begun


def test_another_server_of_the_name_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    text = '{"mcpServers": {"consortium": {"command": "somebody-elses"}}}'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"somebody-elses.*--force.*--name"):
        write("cursor", path)
    assert path.read_text(encoding="utf-8") == text
    write("cursor", path, "ours")
    write("cursor", path, force=True)
    servers = json.loads(path.read_text(encoding="utf-8"))["mcpServers"]
    assert servers["ours"] == servers["consortium"]
    assert set(servers) == {"consortium", "ours"}


ZED = """\ufeff// Mine, see https://zed.dev "docs"
{
\t"theme": "One", /* the { best */
\t"url": "http://x//y", // {
\t"context_servers": { // none yet
\t},
\t"last": [1, 2,],
}
"""


def test_comments_order_and_indentation_of_settings_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(ZED, encoding="utf-8")
    write("zed", path)
    now = path.read_text(encoding="utf-8")
    lines = ZED.removeprefix("\ufeff").splitlines()
    assert [
        line for line in now.splitlines() if line in lines and "context_servers" not in line
    ] == [line for line in lines if "context_servers" not in line]
    assert '\t"context_servers": {\n\t\t"consortium": {\n\t\t\t"source": "custom",' in now
    assert "// none yet" in now
    write("zed", path, "two")
    assert jsonc.read(path.read_text(encoding="utf-8"))["context_servers"].keys() == {
        "consortium",
        "two",
    }
    other = path.read_text(encoding="utf-8").replace('"-x"', '"-y"')
    path.write_text(other, encoding="utf-8")
    write("zed", path, force=True)
    assert path.read_text(encoding="utf-8") == other.replace('"-y"', '"-x"').replace(
        '"-x"', '"-y"', 1
    )  # the entry that was put in last stands first


def test_codex_has_its_table_replaced_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        "# mine\nmodel = 'x'\n\n[mcp_servers.consortium]\ncommand = 'old'\n\n"
        "[mcp_servers.consortium.env]\nA = '1'\n\n[mcp_servers.consortium-2] # other\n"
        "command = 'y'\n[tui]\nnotifications = true\n",
        encoding="utf-8",
    )
    write("codex", path, force=True)
    now = path.read_text(encoding="utf-8")
    assert now.startswith("# mine\nmodel = 'x'\n\n[mcp_servers.consortium]\n")
    assert "[mcp_servers.consortium-2] # other\n" in now
    assert tomllib.loads(now) == {
        "model": "x",
        "mcp_servers": {
            "consortium": {"command": COMMAND, "args": ARGS},
            "consortium-2": {"command": "y"},
        },
        "tui": {"notifications": True},
    }


@pytest.mark.parametrize(
    ("client", "text", "why"),
    [
        ("cursor", '{"mcpServers": ', "cannot be read as JSON"),
        ("cursor", "[1]", "it is not an object"),
        ("cursor", '{"mcpServers": []}', "does not hold servers"),
        ("codex", "mcp_servers = ", "cannot be read as TOML"),
    ],
)
def test_what_is_not_understood_is_left_alone_with_the_block_to_paste(
    tmp_path: Path, client: str, text: str, why: str
) -> None:
    path = tmp_path / "settings"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why) as raised:
        write(client, path, force=True)
    assert path.read_text(encoding="utf-8") == text
    block = str(raised.value).partition("\n\n")[2]
    assert parsed(client, block)[CLIENTS[client].section]["consortium"]["command"] == COMMAND


@pytest.mark.parametrize(
    "text",
    [
        "mcp_servers = {}",
        "mcp_servers.other.command = 'x'",
        "text = '''\n[mcp_servers.consortium]\n'''\n[mcp_servers.consortium]\nx = 1",
        "[mcp_servers.'consortium']\nx = 1\n[tui]\n",
    ],
)
def test_any_layout_of_toml_can_be_edited(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    write("codex", path, force=True)
    before, now = tomllib.loads(text), tomllib.loads(path.read_text(encoding="utf-8"))
    servers = before["mcp_servers"] | {"consortium": {"command": COMMAND, "args": ARGS}}
    assert now == before | {"mcp_servers": servers}


@pytest.mark.parametrize("indent", [None, 0, 1, 4, "\t"])
@pytest.mark.parametrize("data", [{}, {"mcpServers": {}}, {"a": [{}], "mcpServers": {"b": {}}}])
def test_any_layout_of_json_can_be_edited(
    tmp_path: Path, indent: int | str | None, data: dict[str, Any]
) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps(data, indent=indent), encoding="utf-8")
    write("cursor", path)
    servers = data.get("mcpServers", {}) | {"consortium": {"command": COMMAND, "args": ARGS}}
    assert json.loads(path.read_text(encoding="utf-8")) == data | {"mcpServers": servers}


def test_a_client_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cursor does not seem to be installed"):
        write("cursor", tmp_path / "none" / "mcp.json")


def test_what_cannot_be_read_or_written_is_said_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        write("cursor", path)
    path.write_text("{}", encoding="utf-8")
    (tmp_path / "mcp.json.backup-20261125-123005").mkdir()  # where the copy would go
    with pytest.raises(ConfigError, match="cannot be written"):
        write("cursor", path)
    assert path.read_text(encoding="utf-8") == "{}"
    assert not (tmp_path / ".mcp.json.new").exists()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles"
    kept.mkdir()
    (kept / "mcp.json").write_text("{}", encoding="utf-8")
    link = tmp_path / "mcp.json"
    try:
        link.symlink_to(kept / "mcp.json")
    except OSError:
        pytest.skip("links need a right that this user does not have")
    write("cursor", link)
    assert link.is_symlink()
    assert "consortium" in (kept / "mcp.json").read_text(encoding="utf-8")
