"""The configuration files of MCP clients: where they are, and how our server is added to one.

A user's file is changed only as a whole, and only if all of it was understood: a file that does not
parse is left alone, everything else in the file stays, and a backup is kept beside it.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from consortium_mcp.adapters.clients import jsonc, toml
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

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
    section: str
    """The object or table that maps names to servers."""
    form: Literal["json", "toml"] = "json"
    also: tuple[tuple[str, str], ...] = ()
    """Fields that it requires in an entry besides command, args and env."""

    def entry(self, command: str, args: list[str], env: Mapping[str, str]) -> Entry:
        """A server's entry."""
        fields = dict(self.also) | {"command": command, "args": args}
        return fields | ({"env": dict(env)} if env else {})


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


@dataclass(frozen=True)
class Change:
    """A planned change of a file."""

    path: Path
    before: str
    after: str

    def write(self, now: datetime) -> Path | None:
        """Replace the file; return the path of the backup, or `None` if there was no file.

        Raises:
            ConfigError: the file or its folder cannot be written; nothing has changed.
        """
        path = self.path.resolve()  # the file that a link leads to, so that the link stays
        backup = path.with_name(f"{path.name}.backup-{now:%Y%m%d-%H%M%S}")
        new = path.with_name(f".{path.name}.new")
        try:
            new.write_text(self.after, encoding="utf-8")
            if not path.exists():
                os.replace(new, path)  # noqa: PTH105 (as below)
                return None
            shutil.copyfile(path, backup)
            for copy in (backup, new):
                shutil.copymode(path, copy)  # it may hold other servers' keys
            os.replace(new, path)  # noqa: PTH105 (its docs say what it does on every system)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        return backup


def change(
    client: ClientFile, path: Path, name: str, entry: Entry, *, force: bool
) -> Change | None:
    """The change that adds this server to the client's file; `None` if that very entry is there.

    Args:
        client: whose file it is.
        path: the file; it need not exist, but its folder must.
        name: the server's name in the file.
        entry: how it is started.
        force: replace another entry of this name.

    Raises:
        ConfigError: the client is not installed, its file cannot be understood, or another entry
            has the name; the message says what to do instead.
    """
    before = _text_of(client, path)
    block = as_text(client, name, entry)
    form = toml if client.form == "toml" else jsonc
    try:
        data = form.read(before)
    except ValueError as error:
        why = f"it cannot be read as {client.form.upper()} ({error})"
        raise _unchanged_error(path, why, block) from error
    servers = data.get(client.section, {})
    if not isinstance(servers, dict):
        raise _unchanged_error(path, f"its {client.section} does not hold servers", block)
    if servers.get(name) == entry:
        return None
    if name in servers and not force:
        raise ConfigError(
            f"{path} has another server {name!r}: {json.dumps(servers[name])}. Replace it with "
            "--force, or choose another --name."
        )
    after = form.edited(before, client.section, name, entry)
    # Read the new text back: nothing but this entry may have changed.
    expected = data | {client.section: servers | {name: entry}}
    if _read_or_none(form.read, after) != expected:
        raise _unchanged_error(path, f"{client.section}.{name} could not be put in safely", block)
    return Change(path, before, after)


def _text_of(client: ClientFile, path: Path) -> str:
    if not path.parent.is_dir():
        raise ConfigError(
            f"{client.title} does not seem to be installed: there is no folder {path.parent}."
        )
    try:
        return path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error


def _read_or_none(read: Callable[[str], Entry], text: str) -> Entry | None:
    try:
        return read(text)
    except ValueError:
        return None


def as_text(client: ClientFile, name: str, entry: Entry) -> str:
    """The entry as a user would paste it into the file."""
    if client.form == "json":
        return json.dumps({client.section: {name: entry}}, indent=2, ensure_ascii=False) + "\n"
    return toml.table(client.section, name, entry)


def _unchanged_error(path: Path, why: str, block: str) -> ConfigError:
    return ConfigError(f"{path} was not changed: {why}. Add this yourself:\n\n{block}")
