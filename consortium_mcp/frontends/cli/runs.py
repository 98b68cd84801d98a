"""`consortium-mcp runs`: prune, export and import the journal."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from consortium_mcp.adapters.journal.history import opened_history
from consortium_mcp.adapters.journal.imports import import_exported
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.opening import database_of
from consortium_mcp.core.domain.errors import ConfigError, StoreError
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.core.domain.text import read_age
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import TextIO

    from consortium_mcp.adapters.settings import Settings


async def prune(settings: Settings, before: str, delete: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Delete the runs begun before this time (ISO 8601, UTC), or only print how many there are."""
    async with opened_history(database_of(settings)) as history:
        found = await (history.prune(before) if delete else history.older_than(before))
    what = f"{found.runs} runs with {found.exchanges} model calls, begun before {before[:16]} UTC"
    if delete:
        click.echo(f"Deleted {what}.")
    else:
        click.echo(f"Would delete {what}. Nothing was deleted; add --delete to do it.")


async def export(settings: Settings, file: TextIO) -> bool:
    """Write every run as a line of JSON, a `RunRecord`; returns whether all could be read."""
    written = unread = 0
    async with opened_history(database_of(settings)) as history:
        async for run_id in history.run_ids():
            try:
                record = await history.record(run_id)
            except StoreError as error:  # skip an unreadable run, write the others
                click.echo(str(error), err=True)
                unread += 1
            else:
                file.write(record.model_dump_json() + "\n")
                written += 1
    click.echo(f"{written} runs written" + (f", {unread} not." if unread else "."), err=True)
    return not unread


async def import_file(settings: Settings, file: Path, owner: Principal) -> bool:
    """Record the runs of an exported file; returns whether all could be read."""
    store = Store(database_of(settings)).bound_to(owner)
    try:
        found = await import_exported(store, file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    finally:
        await store.close()
    for line, why in sorted(found.refused.items()):
        click.echo(f"Line {line} is no run that this version can read: {why}", err=True)
    told = f"{found.new} runs imported, {found.known} were there already"
    click.echo(told + (f", {len(found.refused)} not read." if found.refused else "."))
    return not found.refused


def _age(_ctx: click.Context, _option: click.Parameter, value: str) -> timedelta:
    """Parse an age such as `90d`."""
    age = read_age(value, "hdw")  # not minutes: who writes 3m here may mean months
    if age is None:
        raise click.BadParameter(f"{value!r} is not an age. Write it as 36h, 90d or 12w.")
    return age


@click.group("runs")
def command() -> None:
    """Prune, export or import past consultations."""


@command.command("prune")
@click.option("--older-than", callback=_age, required=True, help="Such as 36h, 90d, 12w.")
@click.option(
    "--dry-run/--delete", default=True, help="Only show how many there are (the default)."
)
@click.pass_obj
def prune_command(settings: Settings, older_than: timedelta, *, dry_run: bool) -> None:
    """Delete old runs with everything that was said in them.

    Without --delete, only show how many there are. Working runs are never deleted.
    """
    before = (datetime.now(UTC) - older_than).isoformat(timespec="milliseconds")
    with command_errors():
        anyio.run(prune, settings, before, not dry_run)


@command.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), default="-")
@click.pass_obj
def export_command(settings: Settings, file: TextIO) -> None:
    """Write every run with its exchanges as JSON lines to FILE, or to stdout."""
    with command_errors():
        complete = anyio.run(export, settings, file)
    sys.exit(0 if complete else 1)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--owner",
    nargs=2,
    metavar="ISSUER SUBJECT",
    help="Whose runs they become in a team's database, as the identity provider names them.",
)
@click.pass_obj
def import_command(settings: Settings, file: Path, owner: tuple[str, str] | None) -> None:
    """Read the runs that `runs export` wrote to FILE into the database.

    Runs that are there already stay as they are, so it can be done again.
    """
    whose = LOCAL if owner is None else Principal(issuer=owner[0], subject=owner[1])
    with command_errors():
        complete = anyio.run(import_file, settings, file, whose)
    sys.exit(0 if complete else 1)
