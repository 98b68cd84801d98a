"""The plugin hooks for llm. Every `llm` command imports this file, so it imports almost nothing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click


@llm.hookimpl(trylast=True)  # last, so that all other names are known and none is overridden
def register_models(register: Callable[..., None], model_aliases: Iterable[Any]) -> None:
    """Register the saved consortiums, agent programs and, with the extra `local`, demo models."""
    taken = {model.model.model_id for model in model_aliases if model.model}
    taken |= {alias for model in model_aliases for alias in model.aliases}
    try:
        found = _models()
    except Exception as error:  # noqa: BLE001 (no error of ours may break `llm`)
        sys.stderr.write(f"consortium-mcp offers no models: {error}\n")
        return
    for model, async_model in found:
        if model.model_id not in taken:
            register(model, async_model)


def _models() -> list[tuple[llm.Model, llm.AsyncModel]]:
    from consortium_mcp.adapters.agents.finding import AGENTS, find  # noqa: PLC0415
    from consortium_mcp.adapters.saved.consortium_names import saved_names  # noqa: PLC0415 (as is needed)
    from consortium_mcp.adapters.settings import from_environment  # noqa: PLC0415

    found: list[tuple[llm.Model, llm.AsyncModel]] = []
    if importlib.util.find_spec("xllamacpp") is not None:
        from consortium_mcp.adapters.local.models import demo_models  # noqa: PLC0415 (only with the extra)

        found += demo_models()
    if any(find(name, Path.home()) for name in AGENTS):
        from consortium_mcp.adapters.agents.models import agent_models  # noqa: PLC0415 (only where there is one)

        found += agent_models()
    if commands := from_environment().acp_agents:
        from consortium_mcp.adapters.acp.models import acp_models  # noqa: PLC0415 (only where one is named)

        found += acp_models(commands)
    if names := saved_names(from_environment().database):
        from consortium_mcp.frontends.llm.models import consortium_models  # noqa: PLC0415 (only where some are saved)

        found += consortium_models(names)
    return found


@llm.hookimpl
def register_template_loaders(register: Callable[..., None]) -> None:
    """Offer the templates of this package: `llm -t consortium:review_change`."""
    from consortium_mcp.adapters.templates import PREFIX, load_bundled  # noqa: PLC0415

    register(PREFIX, load_bundled)


@llm.hookimpl(trylast=True)  # last, so that llm-consortium's command of this name gives way
def register_commands(cli: click.Group) -> None:
    """Add `llm consortium`."""
    from consortium_mcp.frontends.llm.commands import consortium  # noqa: PLC0415

    cli.add_command(consortium)
