"""`consortium-mcp open`: look at runs in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import click

from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


@click.command("open")
@click.argument("run_id", required=False)
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.pass_obj
def command(settings: Settings, *, run_id: str | None, no_browser: bool) -> None:
    """Look at the history of runs, or at RUN_ID, in a browser on this machine."""
    from consortium_mcp.frontends.browser.serving import serve  # noqa: PLC0415 (it takes its time)

    with command_errors():
        if no_browser:
            anyio.run(serve, settings, run_id, _show_nowhere)
        else:
            anyio.run(serve, settings, run_id)


def _show_nowhere(_: str) -> None:
    """The link is printed already."""
