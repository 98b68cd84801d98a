"""`consortium-mcp work`: work on a team's runs, without answering requests."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import click

from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


@click.command("work")
@click.pass_obj
def command(settings: Settings) -> None:
    """Work on a team's runs, beside servers that were started with --no-work.

    Needs CONSORTIUM_DATABASE_URL. Any number of these share one database.
    """
    from consortium_mcp.services.workers.opening import run_worker  # noqa: PLC0415 (it takes its time)

    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with command_errors():
        anyio.run(run_worker, settings, settings.team.drain_seconds)
