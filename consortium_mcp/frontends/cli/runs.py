"""`consortium-mcp runs`: prune and export the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consortium_mcp.adapters.journal.history import opened_history
from consortium_mcp.core.domain.errors import StoreError

if TYPE_CHECKING:
    from typing import TextIO

    from consortium_mcp.adapters.settings import Settings


async def prune(settings: Settings, before: str, delete: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Delete the runs begun before this time (ISO 8601, UTC), or say how many they are."""
    async with opened_history(settings.database) as history:
        found = await (history.prune(before) if delete else history.older_than(before))
    what = f"{found.runs} runs with {found.exchanges} model calls, begun before {before[:16]} UTC"
    if delete:
        click.echo(f"Deleted {what}.")
    else:
        click.echo(f"Would delete {what}. Nothing has changed; --delete does it.")


async def export(settings: Settings, file: TextIO) -> bool:
    """Write every run as a line, a `RunRecord` in JSON; whether all could be read."""
    written = unread = 0
    async with opened_history(settings.database) as history:
        async for run_id in history.run_ids():
            try:
                record = await history.record(run_id)
            except StoreError as error:  # one that cannot be read does not hide the others
                click.echo(str(error), err=True)
                unread += 1
            else:
                file.write(record.model_dump_json() + "\n")
                written += 1
    click.echo(f"{written} runs written" + (f", {unread} not." if unread else "."), err=True)
    return not unread
