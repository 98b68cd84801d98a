"""`llm consortium save`, `list`, `show`, `remove`, `export`, `import`, `strategies`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from consortium_mcp.adapters.consortium_files import (
    export_text,
    original_database,
    read_file,
    read_runs,
)
from consortium_mcp.adapters.entry_points import install_strategies
from consortium_mcp.adapters.journal.imports import import_runs
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.domain.consortium import ConsortiumConfig, members_as_written
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.panel.llm_consortium import run_from, settings_from
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends.llm.options import settings_of
from consortium_mcp.frontends.terminal.columns import Column
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors, write_file
from consortium_mcp.frontends.text.consortium import consortium_line
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from consortium_mcp.adapters.consortium_files import Found
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.services.resolution import ResolvedConsortium


def save(name: str, *, clone: str | None, overwrite: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 (the fields of a consortium, by name)
    """Save a consortium and print how to use it."""

    async def saved() -> ResolvedConsortium:
        async with open_service(from_environment(), any_template=True) as service:
            return await service.consortiums.save(
                name, settings_of(options), clone=clone, overwrite=overwrite
            )

    with command_errors():
        resolved = anyio.run(saved)
    if as_json:
        config = resolved.config.model_dump(mode="json")
        _print_json({"consortium": config, "warnings": resolved.warnings})
        return
    click.echo(f"Saved. {consortium_line(resolved.config)}")
    for warning in resolved.warnings:
        click.echo(f"Note: {warning}", err=True)
    click.echo(f'Ask it: llm -m {name} "…"')


def _all() -> list[ConsortiumConfig]:
    async def found() -> list[ConsortiumConfig]:
        async with open_service(from_environment()) as service:
            return await service.consortiums.all()

    with command_errors():
        return anyio.run(found)


def list_all(*, as_json: bool) -> None:
    """Print every saved consortium."""
    saved = _all()
    if as_json:
        _print_json([config.model_dump(mode="json") for config in saved])
    elif saved and (on := screen()):
        on.table(_COLUMNS, [_row(config) for config in saved])
    else:
        lines = [consortium_line(config) for config in saved]
        click.echo(
            "\n".join(lines) or "No consortium is saved yet. See `llm consortium save --help`."
        )


_COLUMNS = (
    Column("name", style="bold"),
    Column("members", folds=True),
    Column("arbiter"),
    Column("strategy"),
    Column("threshold", right=True, spare=True),
    Column("iterations", right=True, spare=True),
    Column("description", folds=True, spare=True),
)


def _row(config: ConsortiumConfig) -> Row:
    return (
        config.name or "",
        ", ".join(members_as_written(config)),
        config.arbiter,
        config.strategy,
        f"{config.confidence_threshold:g}",
        f"{config.min_iterations} to {config.max_iterations}",
        config.description or "",
    )


def show(name: str, *, as_json: bool) -> None:
    """Print a saved consortium with all its settings."""

    async def found() -> ConsortiumConfig:
        async with open_service(from_environment()) as service:
            return await service.consortiums.find(name)

    with command_errors():
        config = anyio.run(found)
    if as_json:
        _print_json(config.model_dump(mode="json"))
        return
    if on := screen():
        members = ", ".join(members_as_written(config))
        on.heading(f"{config.name}{f' — {config.description}' if config.description else ''}")
        first = [("members", members), ("arbiter", config.arbiter), ("strategy", config.strategy)]
        on.facts([*first, *_details(config)], indent=2)
        on.line()
        on.line(f'Ask it: **llm -m {config.name} "…"**', "dim")
        return
    click.echo(consortium_line(config))
    for member in config.members:
        details = "".join(f" · {field}: {value}" for field, value in _of_its_own(member).items())
        click.echo(f"  {member.model}{details}")
    for field, value in _details(config, of_members=False):
        click.echo(f"  {field}: {value}")


def _of_its_own(member: Member) -> dict[str, Any]:
    return member.model_dump(exclude_defaults=True, exclude={"label", "model"})


def _details(config: ConsortiumConfig, *, of_members: bool = True) -> list[tuple[str, str]]:
    """Every other setting: of its members where they have their own, and of the whole."""
    found = []
    for member in config.members if of_members else ():
        if more := _of_its_own(member):
            details = " · ".join(f"{field}: {value}" for field, value in more.items())
            found.append((f"member {member.model}", details))
    if config.template is not None:
        params = (f"{name}: {value}" for name, value in config.template.params.items())
        found.append(("template", ", ".join((*config.template.names, *params))))
    shown = {"name", "description", "members", "strategy", "arbiter", "template"}
    for field, value in config.model_dump(exclude=shown, exclude_none=True).items():
        found.append((field, ", ".join(value) or "none" if field == "arbiters" else f"{value}"))
    return found


def remove(name: str, *, force: bool, as_json: bool) -> None:
    """Remove a saved consortium."""

    async def delete() -> list[str]:
        async with open_service(from_environment()) as service:
            return await service.consortiums.delete(name, force=force)

    with command_errors():
        warnings = anyio.run(delete)
    if as_json:
        _print_json({"deleted": name} | ({"warnings": warnings} if warnings else {}))
    else:
        click.echo(" ".join([f"Removed {name}. Its runs stay.", *warnings]))


def export(file: Path | None) -> None:
    """Write every saved consortium to a file, or to stdout if there is none."""
    text = export_text(_all())
    if file is None:
        click.echo(text)
    else:
        write_file(file, text)


def import_file(file: Path | None, *, overwrite: bool, runs: bool, as_json: bool) -> None:
    """Save the consortiums in a file; those that cannot be saved are listed, the others saved.

    Args:
        file: see `consortium_files.read_file`; `None` for llm-consortium's own.
        overwrite: replace others of the same names.
        runs: take over the past runs as well.
        as_json: print what was done as JSON.
    """
    with command_errors():
        settings = from_environment()
        # llm-consortium looks in llm's usual directory, whatever LLM_USER_PATH says.
        file = file or original_database(
            settings.user_dir, Path(click.get_app_dir("io.datasette.llm"))
        )
        found = read_file(file)
        saved, notes, refused = anyio.run(_save_all, found, overwrite)
        past = anyio.run(_import_runs, file) if runs else None
    if as_json:
        told = {"saved": saved, "notes": notes, "refused": refused}
        _print_json(told | ({} if past is None else {"runs": asdict(past)}))
    else:
        click.echo(f"Saved: {', '.join(saved) or 'none'}.")
        if past is not None:
            click.echo(f"Runs: {past.imported} imported, {past.known} were here already.")
        for remark in dict.fromkeys(each for remarks in notes.values() for each in remarks):
            names = [name for name, remarks in notes.items() if remark in remarks]
            click.echo(f"Note on {', '.join(names)}: {remark}", err=True)
        for name, why in refused.items():
            click.echo(f"Not saved: {name}. {why}", err=True)
        for run_id, why in (past.refused if past else {}).items():
            click.echo(f"Not imported: run {run_id}: {why}.", err=True)
    sys.exit(1 if refused or (past and past.refused) else 0)


@dataclass
class _PastRuns:
    """What became of the runs in a database of llm-consortium."""

    imported: int
    known: int
    """They were imported before."""
    refused: dict[str, str]
    """By id, why a run cannot be read."""


async def _import_runs(file: Path) -> _PastRuns:
    records: list[RunRecord] = []
    refused: dict[str, str] = {}
    for original in read_runs(file):
        try:
            records.append(run_from(original))
        except (ValueError, TypeError, ConfigError) as error:
            refused[str(original["run"]["id"])] = str(error)
    store = Store(from_environment().database)
    try:
        imported = await import_runs(store, records)
    finally:
        await store.close()
    return _PastRuns(imported, len(records) - imported, refused)


async def _save_all(
    found: Found,
    overwrite: bool,  # noqa: FBT001 (anyio.run passes by position)
) -> tuple[list[str], dict[str, list[str]], dict[str, str]]:
    """The saved names, the notes on each, and the reason for each that could not be saved."""
    saved: list[str] = []
    notes: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    async with open_service(from_environment(), any_template=True) as service:
        for name, config in found.items():
            try:
                if isinstance(config, ConfigError):
                    raise config
                if isinstance(config, ConsortiumConfig):
                    resolved = await service.consortiums.restore(config, overwrite=overwrite)
                    remarks: list[str] = []
                else:
                    settings, remarks = settings_from(config)
                    resolved = await service.consortiums.save(
                        name, settings, overwrite=overwrite, keep_unknown=True
                    )
            except ConfigError as error:
                refused[name] = str(error)
            else:
                saved.append(name)
                if remarks := [*remarks, *resolved.warnings]:
                    notes[name] = remarks
    return saved, notes, refused


def strategies(*, as_json: bool) -> None:
    """Print every strategy, including those of installed packages."""
    errors = install_strategies()
    if as_json:
        _print_json({name: each.description for name, each in STRATEGIES.items()})
    elif on := screen():
        on.facts([(name, each.description) for name, each in STRATEGIES.items()])
    else:
        width = max(len(name) for name in STRATEGIES)
        for name, each in STRATEGIES.items():
            click.echo(f"{name:{width}}  {each.description}")
    for name, why in errors.items():
        click.echo(
            f"The strategy {name} of an installed package could not be loaded: {why}", err=True
        )


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
