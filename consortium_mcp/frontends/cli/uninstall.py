"""`consortium-mcp uninstall CLIENT`: take the server out of a client's configuration again."""

from __future__ import annotations

from contextlib import nullcontext

import click

from consortium_mcp.adapters.clients import claude_code
from consortium_mcp.adapters.clients.changes import other_names, removing
from consortium_mcp.adapters.clients.claude_code import ClaudeCode
from consortium_mcp.adapters.clients.configs import CLIENTS
from consortium_mcp.adapters.clients.entries import is_ours, told
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.cli import client_files
from consortium_mcp.frontends.cli.client_files import Telling
from consortium_mcp.frontends.text.command_errors import command_errors


def uninstall(client: str, name: str, *, dry_run: bool, as_json: bool = False) -> None:
    """Take our entry out of the client's settings, or with `dry_run` show what would change.

    Args:
        client: a name of `CLIENTS`, or `claude_code.NAME`.
        name: what the server is called there.
        dry_run: change nothing.
        as_json: say what changed as one JSON object.

    Raises:
        ConfigError: the server of that name is not ours, or it cannot be done safely; the message
            says what to do instead.
    """
    machine = client_files.this_machine()
    telling = Telling(as_json=as_json, client=client, server=name, dry_run=dry_run)
    if client == claude_code.NAME:
        claude = ClaudeCode.on(machine)
        with nullcontext() if dry_run else claude.alone():
            _remove_from_claude(claude, name, telling, dry_run=dry_run)
        telling.end()
        return
    kind = CLIENTS[client]
    for path in kind.files(machine):
        done = client_files.change(kind, path, removing(kind, path, name), dry_run=dry_run)
        if not done.changed:
            telling.say(
                f"{path} has no server {name!r}; nothing was changed. "
                f"{other_names(done.servers, name)}"
            )
            telling.change("none", file=path)
        elif dry_run:
            telling.say(done.diff)
            telling.change("removed", file=path, diff=done.diff)
        else:
            kept = client_files.kept(done.backup)
            telling.say(
                f"Took {name!r} out of {path}.{kept} Restart {kind.title}, or reload its servers."
            )
            telling.change("removed", file=path, backup=done.backup)
    telling.end()


def _remove_from_claude(claude: ClaudeCode, name: str, telling: Telling, *, dry_run: bool) -> None:
    """Take it out with `claude mcp remove`: only Claude Code itself should edit its file."""
    there = claude.server_in_file(name)
    if there is None and claude.program is not None and not dry_run:
        telling.say(f"$ claude mcp get {name}")
        there = claude.server_by_asking(name)
    if there is None:
        telling.say(f"Claude Code has no server {name!r}; nothing was changed.")
        telling.change("none", ran=[])
        return
    command = claude_code.command_line(claude_code.to_remove(name, there.scope))
    if not is_ours(there.entry):
        raise ConfigError(
            f"In Claude Code nothing was changed: its server {name!r}, {told(there.entry)}, is not "
            f"ours. To remove it all the same: `{command}`."
        )
    if there.scope != claude_code.USER:
        raise ConfigError(
            f"In Claude Code nothing was changed: {name!r} is there for this folder only. To "
            f"remove it: `{command}`."
        )
    if dry_run:
        telling.say(command)
        telling.change("removed", would_run=[command])
        return
    if claude.program is None:
        raise ConfigError(f"`claude` is not on the PATH. Run this where it is:\n\n{command}")
    telling.say(f"$ {command}")
    backup = claude.remove(name, client_files.now())
    telling.change("removed", backup=backup, ran=[command])
    kept = client_files.kept(backup)
    telling.say(f"Done.{kept} Start Claude Code anew, or reconnect its servers with /mcp.")


@click.command("uninstall")
@click.argument("client", type=click.Choice(sorted([*CLIENTS, claude_code.NAME])))
@click.option("--name", default="consortium", show_default=True, help="Its name in the client.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Say what changed as JSON.")
def command(client: str, name: str, *, dry_run: bool, as_json: bool) -> None:
    """Take this server out of CLIENT's settings, keeping a copy of the old ones.

    Nothing else in them changes, and another server of the name stays.
    """
    with command_errors():
        uninstall(client, name, dry_run=dry_run, as_json=as_json)
