"""`consortium-mcp runs`: prune, export and import the journal."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
import click

from consortium_mcp.adapters.journal.history import opened_history
from consortium_mcp.adapters.journal.imports import import_exported
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.opening import database_of
from consortium_mcp.core.domain.errors import ConfigError, StoreError
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.core.domain.text import read_age
from consortium_mcp.frontends.page.files import page_html
from consortium_mcp.frontends.page.page_data import run_page
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.phrases import moment

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import IO

    from consortium_mcp.adapters.settings import Settings


async def prune(settings: Settings, before: str, delete: bool, as_json: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Delete the runs begun before this time (ISO 8601, UTC), or only print how many there are."""
    async with opened_history(database_of(settings)) as history:
        found = await (history.prune(before) if delete else history.older_than(before))
    # A person reads their own zone's time; scripts read what they always have.
    then = moment(before, None) if sys.stdout.isatty() else f"{before[:16]} UTC"
    what = f"{found.runs} runs with {found.exchanges} model calls, begun before {then}"
    if as_json:
        told = {"runs": found.runs, "exchanges": found.exchanges, "before": before}
        click.echo(json.dumps(told | {"deleted": delete}, indent=2))
    elif delete:
        click.echo(f"Deleted {what}.")
    else:
        click.echo(f"Would delete {what}. Nothing was deleted; add --delete to do it.")


async def export(settings: Settings, file: IO[str] | None, folder: Path | None) -> bool:
    """Write every run; returns whether all could be read.

    Args:
        settings: where the journal is.
        file: gets each run as a line of JSON, a `RunRecord`.
        folder: gets each run as a page.
    """
    written = unread = 0
    async with opened_history(database_of(settings)) as history:
        async for run_id in history.run_ids():
            try:
                record = await history.record(run_id)
            except StoreError as error:  # skip an unreadable run, write the others
                click.echo(str(error), err=True)
                unread += 1
            else:
                if file is not None:
                    file.write(record.model_dump_json() + "\n")
                if folder is not None:
                    nested = await history.nested_records(run_id)
                    _write_page(folder, page_html(run_page(record, nested)), run_id)
                written += 1
    click.echo(f"{written} runs written" + (f", {unread} not." if unread else "."), err=True)
    return not unread


def _write_page(folder: Path, page: str, run_id: str) -> None:
    file = folder / f"{quote(run_id, safe='')}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error


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
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def prune_command(
    settings: Settings, older_than: timedelta, *, dry_run: bool, as_json: bool
) -> None:
    """Delete old runs with everything that was said in them.

    Without --delete, only show how many there are. Working runs are never deleted.
    """
    before = (datetime.now(UTC) - older_than).isoformat(timespec="milliseconds")
    with command_errors():
        anyio.run(prune, settings, before, not dry_run, as_json)


@command.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), required=False)
@click.option(
    "--html",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a page for each run into DIR instead: RUN_ID.html, which fetches nothing.",
)
@click.pass_obj
def export_command(settings: Settings, file: IO[str] | None, folder: Path | None) -> None:
    """Write every run with its exchanges as JSON lines to FILE, or to stdout."""
    if file is None and folder is None:
        file = click.open_file("-", "w", encoding="utf-8")
    with command_errors():
        complete = anyio.run(export, settings, file, folder)
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
