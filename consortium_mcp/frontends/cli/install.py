"""`consortium-mcp install CLIENT`: add the server to a client's configuration."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consortium_mcp.adapters.clients import claude_code
from consortium_mcp.adapters.clients.changes import adding, refusal
from consortium_mcp.adapters.clients.claude_code import ClaudeCode
from consortium_mcp.adapters.clients.configs import CLIENTS
from consortium_mcp.adapters.clients.entries import is_ours, settings_apart
from consortium_mcp.adapters.installation import PACKAGE, Installation, this_installation
from consortium_mcp.adapters.settings import for_another_program
from consortium_mcp.adapters.shell_keys import keys_of_this_shell
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.cli import client_files
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consortium_mcp.adapters.clients.configs import Machine
    from consortium_mcp.adapters.clients.entries import Entry
    from consortium_mcp.adapters.settings import Settings


def install(client: str, name: str, user_dir: Path, *, dry_run: bool, force: bool) -> None:
    """Add the server to the client, or with `dry_run` show what would change.

    Args:
        client: a name of `CLIENTS`, or `claude_code.NAME`.
        name: what the server is called there.
        user_dir: llm's directory, where the keys are.
        dry_run: change nothing.
        force: change the entry that has this name.

    Raises:
        ConfigError: it cannot be done safely; the message says what to do instead.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name):
        raise ConfigError("--name may hold letters, digits, _ and -, and does not begin with -.")
    machine = client_files.this_machine()
    command, args = server_command(this_installation(), shutil.which)
    env = for_another_program()
    if client == claude_code.NAME:
        entry: Entry = {"command": command, "args": args} | ({"env": env} if env else {})
        claude = ClaudeCode.on(machine)
        with nullcontext() if dry_run else claude.alone():
            _add_to_claude(claude, name, entry, dry_run=dry_run, force=force)
    else:
        _add_to_files(client, name, machine, (command, args, env), dry_run=dry_run, force=force)
    for key, variable in keys_of_this_shell(user_dir, os.environ).items():
        click.echo(
            f"{variable} is set in this shell only, and a desktop program may not see it. Store "
            f"the key with `llm keys set {key}`."
        )


def _add_to_files(
    client: str,
    name: str,
    machine: Machine,
    start: tuple[str, list[str], Mapping[str, str]],
    *,
    dry_run: bool,
    force: bool,
) -> None:
    kind = CLIENTS[client]
    entry = kind.entry(*start)
    for path in kind.files(machine):
        edit = adding(kind, path, name, entry, force=force)
        done = client_files.change(kind, path, edit, dry_run=dry_run)
        there = done.servers.get(name)
        if is_ours(there):
            _tell_what_stays(there, entry)
        if not done.changed:
            click.echo(f"{path} has this server already; nothing was changed.")
        elif dry_run:
            click.echo(done.diff)
        else:
            word = "Added" if there is None else "Changed" if is_ours(there) else "Replaced"
            kept = client_files.kept(done.backup)
            click.echo(
                f"{word} {name!r} {'to' if there is None else 'in'} {path}.{kept} Restart "
                f"{kind.title}, or reload its servers, to see the tools."
            )
            if is_ours(there):
                _tell_what_is_new(there, entry)


def _tell_what_stays(there: Entry, entry: Entry) -> None:
    for variable in settings_apart(there, entry).other:
        click.echo(
            f"{variable} has another value in the client's settings than in this shell. It stays "
            "as it is there; change it there if this shell's is the right one."
        )


def _tell_what_is_new(there: Entry, entry: Entry) -> None:
    if lacked := settings_apart(there, entry).lacked:
        click.echo(f"It now sets {', '.join(lacked)} as this shell does.")


def _add_to_claude(
    claude: ClaudeCode, name: str, entry: Entry, *, dry_run: bool, force: bool
) -> None:
    """Add it with `claude mcp add`: only Claude Code itself should edit its file."""
    there = claude.server_in_file(name)
    if there is None and claude.program is not None and not dry_run:
        click.echo(f"$ claude mcp get {name}")
        there = claude.server_by_asking(name)
    wanted = claude_code.pointed_here(there.entry if there else None, entry)
    if there is not None:
        if is_ours(there.entry):
            _tell_what_stays(there.entry, entry)
        if wanted == there.entry:
            click.echo("Claude Code has this server already; nothing was changed.")
            return
        if not force:
            raise ConfigError(
                f"In Claude Code nothing was changed: {refusal(name, there.entry, entry)}"
            )
    shown = [claude_code.to_add(name, claude_code.without_secrets(wanted))]
    if there is not None and there.scope == claude_code.USER:
        shown.insert(0, claude_code.to_remove(name))
    commands = "\n".join(claude_code.command_line(each) for each in shown)
    if dry_run:
        click.echo(commands)
        return
    if claude.program is None:
        raise ConfigError(f"`claude` is not on the PATH. Run this where it is:\n\n{commands}")
    click.echo("".join(f"$ {line}\n" for line in commands.splitlines()), nl=False)
    backup = claude.put(name, wanted, there, client_files.now())
    if there is not None and is_ours(there.entry):
        _tell_what_is_new(there.entry, entry)
    click.echo(
        f"Done.{client_files.kept(backup)} Start Claude Code anew, or reconnect its servers with "
        "/mcp, to see the tools."
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


@click.command("install")
@click.argument("client", type=click.Choice(sorted([*CLIENTS, claude_code.NAME])))
@click.option("--name", default="consortium", show_default=True, help="Its name in the client.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option(
    "--force",
    is_flag=True,
    help="Point our entry to this copy, keeping all else in it; replace another server's.",
)
@click.pass_obj
def command(settings: Settings, client: str, name: str, *, dry_run: bool, force: bool) -> None:
    """Add this server to CLIENT's settings, keeping a copy of the old ones.

    Keys are not written there; they are read from llm's key store.
    """
    with command_errors():
        install(client, name, settings.user_dir, dry_run=dry_run, force=force)
