"""What `install` and `uninstall` share: a client's file changed, or shown as it would be."""

from __future__ import annotations

import difflib
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from consortium_mcp.adapters.clients import files
from consortium_mcp.adapters.clients.changes import servers_in
from consortium_mcp.adapters.clients.configs import Machine
from consortium_mcp.adapters.clients.entries import HIDDEN, secrets_of

if TYPE_CHECKING:
    from consortium_mcp.adapters.clients.changes import Edit
    from consortium_mcp.adapters.clients.configs import ClientFile


class Telling:
    """What such a command says: in sentences as it goes, or at the end as one JSON object.

    Args:
        as_json: which of the two.
        told: what the object begins with.
    """

    def __init__(self, *, as_json: bool, **told: object) -> None:
        self._as_json = as_json
        self._told = told
        self._changes: list[dict[str, object]] = []
        self._notes: list[str] = []

    def say(self, text: str) -> None:
        """Say what the object has in another form."""
        if not self._as_json:
            click.echo(text)

    def note(self, text: str) -> None:
        """Say what stands in the object word for word."""
        self._notes.append(text)
        self.say(text)

    def change(
        self, change: str, *, file: Path | None = None, backup: Path | None = None, **more: object
    ) -> None:
        """Note a change: `added`, `changed`, `replaced`, `removed` or `none`.

        Args:
            change: which.
            file: what was changed; `None` where another program does that.
            backup: the copy of the old file.
            more: further fields.
        """
        paths = {"file": file and str(file), "backup": backup and str(backup)}
        self._changes.append({"change": change} | paths | more)

    def end(self) -> None:
        """Print the object, if it is wanted."""
        if self._as_json:
            told = self._told | {"changes": self._changes, "notes": self._notes}
            click.echo(json.dumps(told, ensure_ascii=False, indent=2))


class Done(NamedTuple):
    """What came of an edit."""

    servers: dict[str, Any]
    """Those that were in the file before."""
    changed: bool
    backup: Path | None
    """The copy of the old file; `None` if there was none, or nothing was written."""
    diff: str
    """What would change, without any key; only of a dry run."""


def this_machine() -> Machine:
    """The machine that this process runs on, for its user."""
    return Machine(Path.home(), sys.platform, os.environ)


def now() -> datetime:
    """This moment, for the names of copies."""
    return datetime.now().astimezone()


def kept(backup: Path | None) -> str:
    """Where the old file is; for the middle of a message."""
    return f" The old file is kept as {backup.name}." if backup else ""


def change(client: ClientFile, path: Path, edit: Edit, *, dry_run: bool) -> Done:
    """Change the file by this edit, or with `dry_run` only show what it does.

    Raises:
        ConfigError: from the edit, or the file cannot be read or written.
    """
    file = files.real_path(path)
    texts: list[str] = []

    def watched(text: str) -> str:
        after = edit(text)
        texts[:] = text, after
        return after

    backup = None
    if dry_run:
        watched(files.content(file).text)
    else:
        backup = files.replaced(file, watched, now())
    before, after = texts
    servers = servers_in(client, before)
    diff = _diff(path, before, after, servers) if dry_run else ""
    return Done(servers, before != after, backup, diff)


def _diff(path: Path, before: str, after: str, servers: dict[str, Any]) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(path), f"{path} (new)", lineterm=""
    )
    shown = "\n".join(lines)
    for secret in secrets_of(servers):
        for quoted in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), f"'{secret}'"):
            shown = shown.replace(quoted, f'"{HIDDEN}"')
    return shown
