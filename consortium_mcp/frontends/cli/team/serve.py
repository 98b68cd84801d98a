"""`consortium-mcp serve`: one address for a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="The port to listen on; 0 for any free one.",
)
@click.option("--no-work", is_flag=True, help="Leave the runs to `consortium-mcp work`.")
@click.pass_obj
def command(settings: Settings, *, host: str, port: int, no_work: bool) -> None:
    """Serve a team: MCP at /mcp and the pages of runs, with a login.

    Needs CONSORTIUM_DATABASE_URL. Any number of these share one database.
    """
    from consortium_mcp.frontends.team.serving import serve  # noqa: PLC0415 (it takes its time)

    with command_errors():
        serve(settings, host, port, works=not no_work)
