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
from consortium_mcp.frontends.cli.client_files import Telling
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.clients.configs import Machine
    from consortium_mcp.adapters.clients.entries import Entry
    from consortium_mcp.adapters.settings import Settings


def install(
    client: str, name: str, user_dir: Path, *, dry_run: bool, force: bool, as_json: bool = False
) -> None:
    """Add the server to the client, or with `dry_run` show what would change.

    Args:
        client: a name of `CLIENTS`, or `claude_code.NAME`.
        name: what the server is called there.
        user_dir: llm's directory, where the keys are.
        dry_run: change nothing.
        force: change the entry that has this name.
        as_json: say what changed as one JSON object.

    Raises:
        ConfigError: it cannot be done safely; the message says what to do instead.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name):
        raise ConfigError("--name may hold letters, digits, _ and -, and does not begin with -.")
    machine = client_files.this_machine()
    command, args = server_command(this_installation(), shutil.which)
    env = for_another_program()
    telling = Telling(
        as_json=as_json, client=client, server=name, command=[command, *args], dry_run=dry_run
    )
    if client == claude_code.NAME:
        entry: Entry = {"command": command, "args": args} | ({"env": env} if env else {})
        claude = ClaudeCode.on(machine)
        with nullcontext() if dry_run else claude.alone():
            _add_to_claude(claude, name, entry, telling, dry_run=dry_run, force=force)
    else:
        entry = CLIENTS[client].entry(command, args, env)
        _add_to_files(client, name, machine, entry, telling, dry_run=dry_run, force=force)
    for key, variable in keys_of_this_shell(user_dir, os.environ).items():
        telling.note(
            f"{variable} is set in this shell only, and a desktop program may not see it. Store "
            f"the key with `llm keys set {key}`."
        )
    telling.end()


def _add_to_files(
    client: str,
    name: str,
    machine: Machine,
    entry: Entry,
    telling: Telling,
    *,
    dry_run: bool,
    force: bool,
) -> None:
    kind = CLIENTS[client]
    for path in kind.files(machine):
        edit = adding(kind, path, name, entry, force=force)
        done = client_files.change(kind, path, edit, dry_run=dry_run)
        there = done.servers.get(name)
        if is_ours(there):
            _tell_what_stays(there, entry, telling)
        word = _word(there)
        if not done.changed:
            telling.say(f"{path} has this server already; nothing was changed.")
            telling.change("none", file=path)
        elif dry_run:
            telling.say(done.diff)
            telling.change(word.lower(), file=path, diff=done.diff)
        else:
            telling.change(word.lower(), file=path, backup=done.backup)
            kept = client_files.kept(done.backup)
            telling.say(
                f"{word} {name!r} {'to' if there is None else 'in'} {path}.{kept} Restart "
                f"{kind.title}, or reload its servers, to see the tools."
            )
            if is_ours(there):
                _tell_what_is_new(there, entry, telling)


def _word(there: Entry | None) -> str:
    """What is done to the entry that is there."""
    return "Added" if there is None else "Changed" if is_ours(there) else "Replaced"


def _tell_what_stays(there: Entry, entry: Entry, telling: Telling) -> None:
    for variable in settings_apart(there, entry).other:
        telling.note(
            f"{variable} has another value in the client's settings than in this shell. It stays "
            "as it is there; change it there if this shell's is the right one."
        )


def _tell_what_is_new(there: Entry, entry: Entry, telling: Telling) -> None:
    if lacked := settings_apart(there, entry).lacked:
        telling.note(f"It now sets {', '.join(lacked)} as this shell does.")


def _add_to_claude(
    claude: ClaudeCode, name: str, entry: Entry, telling: Telling, *, dry_run: bool, force: bool
) -> None:
    """Add it with `claude mcp add`: only Claude Code itself should edit its file."""
    there = claude.server_in_file(name)
    if there is None and claude.program is not None and not dry_run:
        telling.say(f"$ claude mcp get {name}")
        there = claude.server_by_asking(name)
    wanted = claude_code.pointed_here(there.entry if there else None, entry)
    if there is not None:
        if is_ours(there.entry):
            _tell_what_stays(there.entry, entry, telling)
        if wanted == there.entry:
            telling.say("Claude Code has this server already; nothing was changed.")
            telling.change("none", ran=[])
            return
        if not force:
            raise ConfigError(
                f"In Claude Code nothing was changed: {refusal(name, there.entry, entry)}"
            )
    shown = [claude_code.to_add(name, claude_code.without_secrets(wanted))]
    if there is not None and there.scope == claude_code.USER:
        shown.insert(0, claude_code.to_remove(name))
    commands = "\n".join(claude_code.command_line(each) for each in shown)
    word = _word(there.entry if there else None).lower()
    if dry_run:
        telling.say(commands)
        telling.change(word, would_run=commands.splitlines())
        return
    if claude.program is None:
        raise ConfigError(f"`claude` is not on the PATH. Run this where it is:\n\n{commands}")
    telling.say("\n".join(f"$ {line}" for line in commands.splitlines()))
    backup = claude.put(name, wanted, there, client_files.now())
    telling.change(word, backup=backup, ran=commands.splitlines())
    if there is not None and is_ours(there.entry):
        _tell_what_is_new(there.entry, entry, telling)
    telling.say(
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
@click.option("--json", "as_json", is_flag=True, help="Say what changed as JSON.")
@click.pass_obj
def command(
    settings: Settings, client: str, name: str, *, dry_run: bool, force: bool, as_json: bool
) -> None:
    """Add this server to CLIENT's settings, keeping a copy of the old ones.

    Keys are not written there; they are read from llm's key store.
    """
    with command_errors():
        install(client, name, settings.user_dir, dry_run=dry_run, force=force, as_json=as_json)
