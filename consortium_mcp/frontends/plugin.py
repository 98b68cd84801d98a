"""llm's plugin hooks. Imported by every `llm` command, so it imports next to nothing itself."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import llm

if TYPE_CHECKING:
    from collections.abc import Callable

    import click


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Register the local demo models where the extra `local` is installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        return
    from consortium_mcp.frontends.local_models import models  # noqa: PLC0415 (only with the extra)

    for model, async_model in models():
        register(model, async_model)


@llm.hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `llm consortium`."""
    from consortium_mcp.frontends.llm_commands import consortium  # noqa: PLC0415

    cli.add_command(consortium)
