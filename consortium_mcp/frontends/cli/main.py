"""`consortium-mcp`: serve on stdio or HTTP, or run a subcommand.

A subcommand is imported only when it runs, so that the server starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from consortium_mcp.adapters import settings as environment
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

COMMANDS: Mapping[str, str] = {
    "budgets": "team.budgets",
    "calibrate": "measuring.calibrate",
    "costs": "measuring.costs",
    "demo": "demo",
    "doctor": "doctor",
    "install": "install",
    "leaderboard": "measuring.leaderboard",
    "open": "open",
    "replay": "measuring.replay",
    "runs": "runs",
    "serve": "team.serve",
    "setup-local": "setup_local",
    "tokens": "team.tokens",
    "uninstall": "uninstall",
    "work": "team.work",
}
"""Subcommand -> the module that defines it as `command`, as seen from this folder."""


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The names of the subcommands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The subcommand with this name; `None` if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name]}", __package__)
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The subcommands by name alone: their help texts would cost importing all of them."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 (only when asked)

        names = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="consortium-mcp")
@click.option("--http", is_flag=True, help="Serve HTTP on this machine only, without a login.")
@click.option("--port", type=click.IntRange(0, 65535), help="For --http.  [default: 8765]")
@click.pass_context
def main(ctx: click.Context, *, http: bool, port: int | None) -> None:
    """Ask several language models at once. Without a command: serve MCP on stdin and stdout."""
    with command_errors():
        ctx.obj = environment.from_environment(for_team=True)
        if (http or port is not None) and ctx.invoked_subcommand is not None:
            raise click.UsageError("--http and --port cannot be combined with a command.")
        if port is not None and not http:
            raise click.UsageError("--port needs --http.")
        if http:
            from consortium_mcp.frontends.mcp import http as http_server  # noqa: PLC0415

            http_server.serve(ctx.obj, http_server.DEFAULT_PORT if port is None else port)
        elif ctx.invoked_subcommand is None:
            from consortium_mcp.frontends.mcp.server import serve  # noqa: PLC0415

            serve(ctx.obj)
