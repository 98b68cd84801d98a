from __future__ import annotations

from pathlib import Path

import pytest

from consortium_mcp.adapters.clients.configs import CLIENTS, Machine
from consortium_mcp.core.domain.errors import ConfigError

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


@pytest.mark.parametrize("environ", [{}, {"LOCALAPPDATA": "elsewhere"}])
def test_claude_desktop_is_found_wherever_windows_has_put_it(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    environ = {name: str(tmp_path / value) for name, value in environ.items()}
    windows = Machine(tmp_path, "win32", environ)
    client = CLIENTS["claude-desktop"]
    with pytest.raises(ConfigError, match="Claude Desktop does not seem to be installed"):
        client.files(windows)
    local = Path(environ.get("LOCALAPPDATA", tmp_path / "AppData" / "Local"))
    store = local / "Packages" / "Claude_pzs8sxrjxfjjc" / "LocalCache" / "Roaming" / "Claude"
    store.mkdir(parents=True)
    assert client.files(windows) == [store / "claude_desktop_config.json"]
    usual = client.path(windows)
    usual.parent.mkdir(parents=True)
    assert client.files(windows) == [usual, store / "claude_desktop_config.json"]
    elsewhere = Machine(tmp_path, "linux", environ)
    with pytest.raises(ConfigError, match="installed"):
        client.files(elsewhere)
