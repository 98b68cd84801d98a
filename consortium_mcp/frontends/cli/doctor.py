"""`consortium-mcp doctor`: what is installed, what is ready, and what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from consortium_mcp.adapters.agents.finding import AGENTS, find
from consortium_mcp.adapters.installation import LOCAL_ENGINE
from consortium_mcp.adapters.models.snapshot import SLOW_IMPORT, SLOW_LISTING
from consortium_mcp.adapters.prices import Prices, Tokens
from consortium_mcp.adapters.sqlite.patience import shared_patience
from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.catalogue import PROVIDERS, without_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.services.service import Service

PROMPT_TOKENS, ANSWER_TOKENS = 500, 500
"""What the likely cost is reckoned with: a short question and its answers."""
PACKAGES = ("consortium-mcp", "mcp", "llm", "sqlite-utils", "pydantic", LOCAL_ENGINE)


async def examine(settings: Settings) -> bool:
    """Print the diagnosis; returns whether the default panel is ready."""
    _heading("Versions")
    click.echo(f"  python {platform.python_version()}")
    for package in PACKAGES:
        click.echo(f"  {package} {_version(package)}")
    async with open_service(settings) as service:
        with shared_patience():
            await _database(service)
        snapshot = await service.registry.snapshot()
        _programs()
        _models(snapshot)
        return await _panel(service, Prices(settings.prices))


def _heading(text: str) -> None:
    click.secho(text, bold=True)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return (
            "not installed; it runs the local demo models"
            if package == LOCAL_ENGINE
            else "not installed"
        )


async def _database(service: Service) -> None:
    _heading("Database")
    try:
        await service.store.check()
        saved = [config.name for config in await service.consortiums.all()]
    except ConsortiumError as error:
        click.echo(f"  {error}")
    else:
        click.echo(f"  {service.store.file.name}: can be written")
        click.echo(f"  saved consortiums: {', '.join(str(name) for name in saved) or 'none'}")
    for note in service.store.notes():
        click.echo(f"  note: {note}")


def _models(snapshot: Snapshot) -> None:
    """Print, by provider, how many models there are and whether the key is set (not its value)."""
    _heading("Plugins of llm")
    for plugin, version in sorted(snapshot.plugins.items()):
        click.echo(f"  {plugin} {version}".rstrip())
    for plugin, why in snapshot.plugin_errors.items():
        is_slow = why in {SLOW_IMPORT, SLOW_LISTING}
        click.echo(f"  {plugin}: {why if is_slow else f'failed to load ({why})'}")
    _heading("Providers and their keys")
    for provider in sorted({entry.provider for entry in snapshot.entries.values()}):
        entries = [e for e in snapshot.entries.values() if e.provider == provider]
        ready = sum(entry.ready for entry in entries)
        lacks = [lack for e in entries if (lack := e.missing or e.readiness.doubt)]
        click.echo(f"  {provider}: {_readiness(ready, lacks)}")
    for provider in PROVIDERS:
        if not any(entry.provider == provider for entry in snapshot.entries.values()):
            click.echo(f"  {provider}: {without_models(snapshot, provider)}")


def _readiness(ready: int, lacks: Sequence[str]) -> str:
    """How many models are ready, and what the first of the others lacks, or may lack."""
    if not lacks:
        return f"{ready} models, all ready"
    if not ready:
        return f"{len(lacks)} models, none known to be ready: {lacks[0]}"
    return f"{ready} models ready. {len(lacks)} more would need: {lacks[0]}"


def _programs() -> None:
    """Print which agent programs were found; their models stand among the providers."""
    _heading("Agent programs")
    for name in AGENTS:
        path = find(name, Path.home())
        click.echo(f"  {name}: {path or 'not found'}")


async def _panel(service: Service, prices: Prices) -> bool:
    _heading("The panel that is asked when you name none")
    try:
        resolved = await service.resolver.resolve(None, ConsortiumSettings())
    except ConsortiumError as error:
        click.echo(f"  {error}")
        return False
    config = resolved.config
    click.echo(
        f"  {', '.join(members_as_written(config))}; arbiter {config.arbiter}; "
        f"strategy {config.strategy}"
    )
    click.echo(f"  why: {resolved.chosen_because}")
    click.echo(f"  likely cost: {_cost(config, await service.registry.snapshot(), prices)}")
    for warning in resolved.warnings:
        click.echo(f"  note: {warning}")
    return True


def _cost(config: ConsortiumConfig, snapshot: Snapshot, prices: Prices) -> str:
    """What a short question costs where all members answer once and the arbiter judges once."""
    answers = len(config.members) * ANSWER_TOKENS
    calls = [(member.model, PROMPT_TOKENS) for member in config.members]
    calls.append((config.arbiter, PROMPT_TOKENS + answers))
    total, unknown = 0.0, []
    for model_id, tokens in calls:
        entry = snapshot.entries.get(model_id)
        if entry is None:  # a saved consortium
            unknown.append(model_id)
        elif entry.is_paid:
            used = Tokens(tokens, ANSWER_TOKENS)
            dollars = prices.of(model_id, entry.provider, used, entry.api_base)
            unknown += [model_id] if dollars is None else []
            total += dollars or 0.0
    if unknown:
        return f"not known, as there is no price of {', '.join(dict.fromkeys(unknown))}"
    if not total:
        return "nothing, as all models run on this machine"
    return (
        f"about ${total:.3f} for one iteration, with {PROMPT_TOKENS} tokens in the question and "
        f"{ANSWER_TOKENS} in each answer (prices of genai-prices, an estimate)"
    )


@click.command("doctor")
@click.pass_obj
def command(settings: Settings) -> None:
    """Show what is installed, ready and missing. Exit code 1 when no panel is ready."""
    with command_errors():
        ready = anyio.run(examine, settings)
    sys.exit(0 if ready else 1)
