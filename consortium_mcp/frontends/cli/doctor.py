"""`consortium-mcp doctor`: what is installed, what is ready, and what is missing."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from dataclasses import dataclass
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
from consortium_mcp.frontends.terminal.columns import Cell
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.catalogue import PROVIDERS, without_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.frontends.terminal.screen import Screen
    from consortium_mcp.services.service import Service

PROMPT_TOKENS, ANSWER_TOKENS = 500, 500
"""What the likely cost is reckoned with: a short question and its answers."""
PACKAGES = ("consortium-mcp", "mcp", "llm", "sqlite-utils", "pydantic", LOCAL_ENGINE)


@dataclass(frozen=True)
class Fact:
    """One line of a diagnosis."""

    name: str
    """Of what; empty where the text stands for itself."""
    text: str
    good: bool | None = None
    """Whether that is as it should be; `None` where it is neither good nor bad."""
    joint: str = ": "
    """Between name and text, where it is printed as text."""


@dataclass(frozen=True)
class Diagnosis:
    """What `doctor` finds."""

    sections: dict[str, list[Fact]]
    ready: bool
    """Whether the default panel can be asked."""


async def examine(settings: Settings) -> Diagnosis:
    """Look at everything that a consultation needs."""
    versions = [Fact("python", platform.python_version(), joint=" ")]
    versions += [Fact(package, _version(package), joint=" ") for package in PACKAGES]
    async with open_service(settings) as service:
        with shared_patience():
            database = await _database(service)
        snapshot = await service.registry.snapshot()
        panel, ready = await _panel(service, Prices(settings.prices))
    sections = {
        "Versions": versions,
        "Database": database,
        "Agent programs": _programs(),
        "Plugins of llm": _plugins(snapshot),
        "Providers and their keys": _providers(snapshot),
        "The panel that is asked when you name none": panel,
    }
    return Diagnosis(sections, ready)


def show(found: Diagnosis, *, as_json: bool) -> None:
    """Print the diagnosis."""
    if as_json:
        told = {
            title: [{"name": f.name or None, "text": f.text, "good": f.good} for f in facts]
            for title, facts in found.sections.items()
        }
        click.echo(json.dumps({"ready": found.ready, "sections": told}, indent=2))
    elif on := screen():
        _draw(on, found)
    else:
        for title, facts in found.sections.items():
            click.echo(title)
            for fact in facts:
                name = f"{fact.name}{fact.joint}" if fact.name else ""
                click.echo(f"  {name}{fact.text}".rstrip())


def _draw(on: Screen, found: Diagnosis) -> None:
    styles = {True: "green", False: "yellow", None: ""}
    for number, (title, facts) in enumerate(found.sections.items()):
        if number:
            on.line()
        on.heading(title)
        rows = [(fact.name or "·", Cell(fact.text, styles[fact.good])) for fact in facts]
        on.facts(rows, indent=2)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return (
            "not installed; it runs the local demo models"
            if package == LOCAL_ENGINE
            else "not installed"
        )


async def _database(service: Service) -> list[Fact]:
    try:
        await service.store.check()
        saved = [config.name for config in await service.consortiums.all()]
    except ConsortiumError as error:
        facts = [Fact("", str(error), good=False)]
    else:
        names = ", ".join(str(name) for name in saved) or "none"
        facts = [
            Fact(service.store.file.name, "can be written", good=True),
            Fact("saved consortiums", names),
        ]
    return facts + [Fact("note", note, good=False) for note in service.store.notes()]


def _plugins(snapshot: Snapshot) -> list[Fact]:
    facts = [Fact(name, version, joint=" ") for name, version in sorted(snapshot.plugins.items())]
    for plugin, why in snapshot.plugin_errors.items():
        is_slow = why in {SLOW_IMPORT, SLOW_LISTING}
        facts.append(Fact(plugin, why if is_slow else f"failed to load ({why})", good=False))
    return facts


def _providers(snapshot: Snapshot) -> list[Fact]:
    """By provider, how many models there are and whether the key is set (not its value)."""
    facts = []
    for provider in sorted({entry.provider for entry in snapshot.entries.values()}):
        entries = [e for e in snapshot.entries.values() if e.provider == provider]
        ready = sum(entry.ready for entry in entries)
        lacks = [lack for e in entries if (lack := e.missing or e.readiness.doubt)]
        facts.append(Fact(provider, _readiness(ready, lacks), good=ready > 0))
    known = {entry.provider for entry in snapshot.entries.values()}
    absent = [provider for provider in PROVIDERS if provider not in known]
    return facts + [Fact(provider, without_models(snapshot, provider)) for provider in absent]


def _readiness(ready: int, lacks: Sequence[str]) -> str:
    """How many models are ready, and what the first of the others lacks, or may lack."""
    if not lacks:
        return f"{ready} models, all ready"
    if not ready:
        return f"{len(lacks)} models, none known to be ready: {lacks[0]}"
    return f"{ready} models ready. {len(lacks)} more would need: {lacks[0]}"


def _programs() -> list[Fact]:
    """Which agent programs were found; their models stand among the providers."""
    found = {name: find(name, Path.home()) for name in AGENTS}
    return [
        Fact(name, str(path or "not found"), good=True if path else None)
        for name, path in found.items()
    ]


async def _panel(service: Service, prices: Prices) -> tuple[list[Fact], bool]:
    try:
        resolved = await service.resolver.resolve(None, ConsortiumSettings())
    except ConsortiumError as error:
        return [Fact("", str(error), good=False)], False
    config = resolved.config
    members = ", ".join(members_as_written(config))
    asked = f"{members}; arbiter {config.arbiter}; strategy {config.strategy}"
    cost = _cost(config, await service.registry.snapshot(), prices)
    facts = [
        Fact("", asked, good=True),
        Fact("why", str(resolved.chosen_because)),
        Fact("likely cost", cost),
        *(Fact("note", warning, good=False) for warning in resolved.warnings),
    ]
    return facts, True


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
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, *, as_json: bool) -> None:
    """Show what is installed, ready and missing. Exit code 1 when no panel is ready."""
    with command_errors():
        found = anyio.run(examine, settings)
    show(found, as_json=as_json)
    sys.exit(0 if found.ready else 1)
