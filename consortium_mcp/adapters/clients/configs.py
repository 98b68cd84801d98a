"""The configuration files of MCP clients: where they are, and how our server is added to one.

A file that is the user's is changed only as a whole and only when it was understood as a whole:
what does not parse is left alone, everything else in it stays, and a copy is kept beside it.
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
    """As `sys.platform` has it."""
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
    """The object or table that holds a server for each name."""
    form: Literal["json", "toml"] = "json"
    also: tuple[tuple[str, str], ...] = ()
    """What it wants in an entry besides command, args and env."""

    def entry(self, command: str, args: list[str], env: Mapping[str, str]) -> Entry:
        """A server's entry."""
        given = dict(self.also) | {"command": command, "args": args}
        return given | ({"env": dict(env)} if env else {})


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
"""Clients with a file of their own, as their manuals of autumn 2026 describe it."""


@dataclass(frozen=True)
class Change:
    """What would become of a file."""

    path: Path
    before: str
    after: str

    def write(self, now: datetime) -> Path | None:
        """Put the new text in the file's place; the path of the copy of what was there.

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
                shutil.copymode(path, copy)  # others' keys may stand in it
            os.replace(new, path)  # noqa: PTH105 (its docs say what it does on every system)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        return backup


def change(
    client: ClientFile, path: Path, name: str, entry: Entry, *, force: bool
) -> Change | None:
    """The client's file with this server in it; `None` if it is there already, just so.

    Args:
        client: whose file it is.
        path: the file; it need not exist, its folder must.
        name: what the server is called there.
        entry: how it is started.
        force: replace another entry of this name.

    Raises:
        ConfigError: the client is not there, its file cannot be understood, or another entry has
            the name; the message says what to do instead.
    """
    before = _text_of(client, path)
    block = as_text(client, name, entry)
    form = toml if client.form == "toml" else jsonc
    try:
        data = form.read(before)
    except ValueError as error:
        why = f"it cannot be read as {client.form.upper()} ({error})"
        raise _left_alone(path, why, block) from error
    there = data.get(client.section, {})
    if not isinstance(there, dict):
        raise _left_alone(path, f"its {client.section} does not hold servers", block)
    if there.get(name) == entry:
        return None
    if name in there and not force:
        raise ConfigError(
            f"{path} has another server {name!r}: {json.dumps(there[name])}. Replace it with "
            "--force, or choose another --name."
        )
    after = form.edited(before, client.section, name, entry)
    # What was written is read again: nothing else may have become another.
    expected = data | {client.section: there | {name: entry}}
    if _read_or_none(form.read, after) != expected:
        raise _left_alone(path, f"{client.section}.{name} could not be put in safely", block)
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
    """The entry as it would be pasted into the file."""
    if client.form == "json":
        return json.dumps({client.section: {name: entry}}, indent=2, ensure_ascii=False) + "\n"
    return toml.table(client.section, name, entry)


def _left_alone(path: Path, why: str, block: str) -> ConfigError:
    return ConfigError(f"{path} was not changed: {why}. Add this yourself:\n\n{block}")
