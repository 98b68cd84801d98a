"""Claude Code's servers: read from its file, and changed by its own command only.

It writes that file all the time, and much besides is in it, so nobody else should.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import subprocess
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.adapters.clients import jsonc
from consortium_mcp.adapters.clients.entries import (
    HIDDEN,
    OUR_SETTINGS,
    SECRETS,
    is_ours,
    missing,
)
from consortium_mcp.adapters.clients.files import content, copied, locked, real_path
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from consortium_mcp.adapters.clients.configs import Machine
    from consortium_mcp.adapters.clients.entries import Entry

NAME = "claude-code"
USER = "user"
"""The scope of the servers that a user has in every project; ours is one."""
_PLAIN = {"type", "command", "args", "env"}
"""Fields of an entry that `claude mcp add` can write; the others need `add-json`."""


class Server(NamedTuple):
    """A server that Claude Code has."""

    entry: Entry
    scope: str = USER


@dataclass(frozen=True)
class ClaudeCode:
    """The user's Claude Code."""

    file: Path
    """Where it keeps its servers."""
    program: str | None
    """The path of `claude`; `None` if it is not on the PATH."""

    @classmethod
    def on(cls, machine: Machine) -> ClaudeCode:
        """The one on this machine."""
        folder = machine.environ.get("CLAUDE_CONFIG_DIR") or machine.home
        return cls(Path(folder) / ".claude.json", shutil.which("claude"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other programs of ours waiting: of several `claude mcp add` at once, some are lost.

        Raises:
            ConfigError: another one does not end.
        """
        file = real_path(self.file)
        with locked(file) if file.parent.is_dir() else nullcontext():
            yield

    def server_in_file(self, name: str) -> Server | None:
        """The user's server of this name; `None` if there is none.

        Raises:
            ConfigError: the file cannot be read.
        """
        try:
            servers = jsonc.read(content(self.file).text).get("mcpServers")
        except ValueError as error:
            raise ConfigError(
                f"{self.file} cannot be read as JSON ({error}). `claude doctor` may mend it."
            ) from error
        entry = servers.get(name) if isinstance(servers, dict) else None
        return Server(entry) if isinstance(entry, dict) else None

    def server_by_asking(self, name: str) -> Server | None:
        """The server of this name in the folder that we are in, whosever it is; `None` if none.

        Claude Code starts the server to answer, which may take seconds.
        """
        done = self._run(["mcp", "get", name])
        return None if done.returncode else _as_shown(done.stdout)

    def put(self, name: str, entry: Entry, there: Server | None, now: datetime) -> Path | None:
        """Add the server for the user, in place of the one that is there.

        Returns:
            The copy of the file, if something in it was replaced.

        Raises:
            ConfigError: it was refused, and the one that was there is there again.
        """
        if there is None or there.scope != USER:
            self._must(to_add(name, entry), to_add(name, without_secrets(entry)))
            return None
        backup = self.remove(name, now)
        try:
            self._must(to_add(name, entry), to_add(name, without_secrets(entry)))
        except ConfigError:
            self._run(["mcp", "add-json", "--scope", USER, name, json.dumps(there.entry)])
            raise
        return backup

    def remove(self, name: str, now: datetime) -> Path | None:
        """Take the user's server out; the copy of the file.

        Raises:
            ConfigError: it was refused.
        """
        backup = copied(real_path(self.file), now)
        self._must(to_remove(name), to_remove(name))
        return backup

    def _must(self, arguments: Sequence[str], shown: Sequence[str]) -> None:
        done = self._run(arguments)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it does not say why").rstrip(".")
            raise ConfigError(f"`{command_line(shown)}` failed: {said}.")

    def _run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        if self.program is None:
            raise ConfigError("`claude` is not on the PATH.")
        try:
            return subprocess.run(  # noqa: S603 (the user's own program)
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise ConfigError(f"{self.program} cannot be started: {error.strerror}.") from error


def _as_shown(output: str) -> Server:
    """A server as `claude mcp get` shows it to people; what it does not show is left out."""
    fields = dict(re.findall(r"^ {2}(\w+): *(.*?) *$", output, re.MULTILINE))
    entry: Entry = {}
    if command := fields.get("Command"):
        entry = {"command": command, "args": fields.get("Args", "").split()}
    elif url := fields.get("URL"):
        entry = {"url": url}
    if env := dict(re.findall(r"^ {4}(\w+)=(.*)$", output, re.MULTILINE)):
        entry["env"] = env
    scope = re.search(r"claude mcp remove .* -s (\w+)", output)
    return Server(entry, scope[1] if scope else USER)


def pointed_here(there: Entry | None, ours: Entry) -> Entry:
    """The entry that starts this copy: ours, or the one that is ours with all its user put in."""
    if there is None or not is_ours(there):
        return ours
    entry = copy.deepcopy(there)
    for (field, *inner), value in missing(there, ours):
        if inner:
            entry[field][inner[0]] = value
        else:
            entry[field] = value
    return entry


def without_secrets(entry: Entry) -> Entry:
    """The entry to show to people: the values that its user has put there are left out."""
    shown = dict(entry)
    for field in SECRETS:
        if isinstance(values := entry.get(field), dict):
            shown[field] = {
                name: value if name.startswith(OUR_SETTINGS) else HIDDEN
                for name, value in values.items()
            }
    return shown


def command_line(arguments: Sequence[str]) -> str:
    """A command of `claude` as one types it."""
    return shlex.join(["claude", *arguments])


def to_add(name: str, entry: Entry) -> list[str]:
    """The arguments of `claude` that add this server for the user."""
    if entry.keys() <= _PLAIN and entry.get("type", "stdio") == "stdio":
        env = entry.get("env") or {}
        settings = [part for each, value in env.items() for part in ("--env", f"{each}={value}")]
        command = [entry["command"], *entry.get("args", ())]
        return ["mcp", "add", "--scope", USER, name, *settings, "--", *command]
    return ["mcp", "add-json", "--scope", USER, name, json.dumps(entry)]


def to_remove(name: str, scope: str = USER) -> list[str]:
    """The arguments of `claude` that take this server out."""
    return ["mcp", "remove", "--scope", scope, name]
