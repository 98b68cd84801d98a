"""`consortium-mcp install CLIENT`: add the server to a client's configuration."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consortium_mcp.adapters.clients.configs import CLIENTS, Machine, change
from consortium_mcp.adapters.installation import PACKAGE, Installation, this_installation
from consortium_mcp.adapters.models.discovery import take_snapshot
from consortium_mcp.adapters.models.keys import keys_of_this_shell
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLAUDE_CODE = "claude-code"
_PASSED_ON = ("LLM_USER_PATH", "CONSORTIUM_")
"""Prefixes of the environment variables to copy: they hold paths and settings, never keys. Keys
come from llm's key store."""


def install(client: str, name: str, *, dry_run: bool, force: bool) -> None:
    """Add the server to the client, or with `dry_run` show what would change.

    Raises:
        ConfigError: it cannot be done safely; the message says what to do instead.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ConfigError("--name may hold letters, digits, - and _.")
    command, args = server_command(this_installation(), shutil.which)
    env = {key: value for key, value in os.environ.items() if key.startswith(_PASSED_ON)}
    if client == CLAUDE_CODE:
        _run_claude(name, [command, *args], env, dry_run=dry_run, force=force)
    else:
        _edit_file(client, name, (command, args, env), dry_run=dry_run, force=force)
    for key, variable in keys_of_this_shell(take_snapshot()).items():
        click.echo(
            f"{variable} is set in this shell only, and a desktop program may not see it. Store "
            f"the key with `llm keys set {key}`."
        )


def server_command(here: Installation, find: Callable[[str], str | None]) -> tuple[str, list[str]]:
    """The program to start, by absolute path (desktop programs have a short PATH), and arguments.

    Usually that is the program of this environment. Of a temporary environment, which uv may clear
    from its cache, it is uv with the same copy and everything that was added to it.

    Args:
        here: this copy.
        find: where a program is, as `shutil.which` says.
    """
    start = here.temporary_start()
    if start and (uv := find(start[0])):
        return str(Path(uv).absolute()), start[1:]
    python = here.python
    program = python.with_name(f"{PACKAGE}.exe" if python.suffix == ".exe" else PACKAGE)
    if program.exists():
        return str(program.absolute()), []
    return str(python.absolute()), ["-m", "consortium_mcp"]


def _edit_file(
    client: str,
    name: str,
    start: tuple[str, list[str], Mapping[str, str]],
    *,
    dry_run: bool,
    force: bool,
) -> None:
    kind = CLIENTS[client]
    path = kind.path(Machine(Path.home(), sys.platform, os.environ))
    edit = change(kind, path, name, kind.entry(*start), force=force)
    if edit is None:
        click.echo(f"{path} has this server already; nothing was changed.")
    elif dry_run:
        old, new = edit.before.splitlines(), edit.after.splitlines()
        shown = difflib.unified_diff(old, new, str(path), f"{path} (new)", lineterm="")
        click.echo("\n".join(shown))
    else:
        backup = edit.write(datetime.now().astimezone())
        kept = f" The old file is kept as {backup.name}." if backup else ""
        click.echo(
            f"Added {name!r} to {path}.{kept} Restart {kind.title}, or reload its servers, to see "
            "the tools."
        )


def _run_claude(
    name: str, command: list[str], env: Mapping[str, str], *, dry_run: bool, force: bool
) -> None:
    """Add it with `claude mcp add`: only Claude Code itself should edit its file."""
    settings = [part for key, value in env.items() for part in ("--env", f"{key}={value}")]
    add = ["claude", "mcp", "add", "--scope", "user", name, *settings, "--", *command]
    if dry_run:
        click.echo(shlex.join(add))
        return
    claude = shutil.which("claude")
    if claude is None:
        raise ConfigError(
            f"`claude` is not on the PATH. Run this command where it is:\n\n{shlex.join(add)}"
        )
    existing = subprocess.run([claude, "mcp", "get", name], capture_output=True, check=False)  # noqa: S603
    if existing.returncode == 0 and not force:
        click.echo(
            f"Claude Code has a server {name!r} already; nothing was changed. Replace it with "
            "--force, or choose another --name."
        )
        return
    if existing.returncode == 0:
        subprocess.run([claude, "mcp", "remove", "--scope", "user", name], check=False)  # noqa: S603
    done = subprocess.run([claude, *add[1:]], check=False)  # noqa: S603
    if done.returncode:
        raise ConfigError(f"`{shlex.join(add)}` failed; see its output above.")


@click.command("install")
@click.argument("client", type=click.Choice(sorted([*CLIENTS, CLAUDE_CODE])))
@click.option("--name", default="consortium", show_default=True, help="Its name in the client.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--force", is_flag=True, help="Replace another server of this name.")
def command(client: str, name: str, *, dry_run: bool, force: bool) -> None:
    """Add this server to CLIENT's settings, keeping a copy of the old ones.

    Keys are not written there; they are read from llm's key store.
    """
    with command_errors():
        install(client, name, dry_run=dry_run, force=force)
