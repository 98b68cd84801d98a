"""The clients that we know: where each keeps its settings, and what a server's entry looks like."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from consortium_mcp.adapters.clients import toml
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Entry = dict[str, Any]


@dataclass(frozen=True)
class Machine:
    """What decides where a client keeps its files."""

    home: Path
    platform: str
    """As in `sys.platform`."""
    environ: Mapping[str, str]

    @property
    def applications(self) -> Path:
        """Where desktop programs keep their settings."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        return Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config")


@dataclass(frozen=True)
class ClientFile:
    """How one client is configured."""

    title: str
    path: Callable[[Machine], Path]
    """Where its file usually is."""
    section: str
    """The object or table that maps names to servers."""
    form: Literal["json", "toml"] = "json"
    also: tuple[tuple[str, str], ...] = ()
    """Fields that it requires in an entry besides command, args and env."""
    other_paths: Callable[[Machine], list[Path]] = lambda _: []
    """Where else its file is, if it was installed in another way."""

    def files(self, machine: Machine) -> list[Path]:
        """Its files on this machine, there or yet to come.

        Raises:
            ConfigError: it is not installed; none of its folders is there.
        """
        usual = self.path(machine)
        found = [path for path in (usual, *self.other_paths(machine)) if path.parent.is_dir()]
        if not found:
            raise ConfigError(
                f"{self.title} does not seem to be installed: there is no folder {usual.parent}. "
                "Start it once, and try again."
            )
        return found

    def entry(self, command: str, args: list[str], env: Mapping[str, str]) -> Entry:
        """A server's entry."""
        fields = dict(self.also) | {"command": command, "args": args}
        return fields | ({"env": dict(env)} if env else {})


def _claude_of_the_store(machine: Machine) -> list[Path]:
    """Windows gives a program from its store a folder of its own in place of the usual one."""
    if machine.platform != "win32":
        return []
    local = Path(machine.environ.get("LOCALAPPDATA") or machine.home / "AppData" / "Local")
    folders = sorted(local.glob("Packages/Claude_*/LocalCache/Roaming/Claude"))
    return [folder / "claude_desktop_config.json" for folder in folders]


def _zed(machine: Machine) -> Path:
    if machine.platform == "win32":
        return machine.applications / "Zed" / "settings.json"
    config = machine.environ.get("XDG_CONFIG_HOME") if machine.platform != "darwin" else None
    return Path(config or machine.home / ".config") / "zed" / "settings.json"


def _codex(machine: Machine) -> Path:
    return Path(machine.environ.get("CODEX_HOME") or machine.home / ".codex") / "config.toml"


CLIENTS = {
    "claude-desktop": ClientFile(
        "Claude Desktop",
        lambda machine: machine.applications / "Claude" / "claude_desktop_config.json",
        "mcpServers",
        other_paths=_claude_of_the_store,
    ),
    "cursor": ClientFile(
        "Cursor", lambda machine: machine.home / ".cursor" / "mcp.json", "mcpServers"
    ),
    "vscode": ClientFile(
        "VS Code",
        lambda machine: machine.applications / "Code" / "User" / "mcp.json",
        "servers",
        also=(("type", "stdio"),),
    ),
    "codex": ClientFile("Codex", _codex, "mcp_servers", form="toml"),
    "zed": ClientFile("Zed", _zed, "context_servers", also=(("source", "custom"),)),
}
"""Clients with a configuration file of their own, as described in their manuals of autumn 2026."""


def as_text(client: ClientFile, name: str, entry: Entry) -> str:
    """The entry as a user would paste it into the file."""
    if client.form == "json":
        return json.dumps({client.section: {name: entry}}, indent=2, ensure_ascii=False) + "\n"
    return toml.table(client.section, name, entry)
