"""`consortium-mcp work`: work on a team's runs, without answering their askers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


@click.command("work")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Answer /healthz, /readyz and /metrics on this port.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address for --port.")
@click.pass_obj
def command(settings: Settings, *, port: int | None, host: str) -> None:
    """Work on a team's runs, beside servers that were started with --no-work.

    Needs CONSORTIUM_DATABASE_URL. Any number of these share one database.
    """
    from consortium_mcp.frontends.team.working import work  # noqa: PLC0415 (it takes its time)

    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with command_errors():
        work(settings, host, port)
