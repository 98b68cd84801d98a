"""What a shell completes: names of saved consortiums, ids of past runs, ids of models.

Pressing Tab must be quick and quiet. So names and ids are read from the file without the service,
plugins get little time to list their models, and nothing that they print reaches the shell. What
cannot be read now completes nothing.

Every `llm` command imports this file, so it imports nothing until a shell asks.
"""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem

    from consortium_mcp.adapters.settings import Settings

NEWEST = 50
"""Runs that are offered."""
LISTING_SECONDS = 0.5
"""How long plugins may take to list their models."""
LATEST = "latest"


def consortiums(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the saved consortiums."""
    return _beginning(_saved_names(), incomplete)


def runs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the newest runs, each with its question, and `latest`."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 (only when asked)

    from consortium_mcp.adapters.saved.newest_runs import newest_runs  # noqa: PLC0415
    from consortium_mcp.frontends.text.phrases import one_line  # noqa: PLC0415

    wanted = incomplete.casefold()
    found = [(LATEST, "the newest run"), *newest_runs(_settings().database, NEWEST)]
    return [
        CompletionItem(run_id, help=one_line(prompt, 60))
        for run_id, prompt in found
        if run_id.casefold().startswith(wanted)
    ]


def models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The ids of all models, and the names of the saved consortiums."""
    return _beginning([*_model_ids(), *_saved_names()], incomplete)


def strategies(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the strategies."""
    from consortium_mcp.core.strategies import STRATEGIES  # noqa: PLC0415

    return _beginning(STRATEGIES, incomplete)


COMPLETERS = {
    "arbiter": models,
    "escalate_to": models,
    "strategy": strategies,
}
"""Setting -> what completes its option."""


def _settings() -> Settings:
    from consortium_mcp.adapters.settings import from_environment  # noqa: PLC0415

    return from_environment()


def _saved_names() -> list[str]:
    from consortium_mcp.adapters.saved.consortium_names import saved_names  # noqa: PLC0415

    return saved_names(_settings().database)


def _model_ids() -> list[str]:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        from consortium_mcp.adapters.models.discovery import take_snapshot  # noqa: PLC0415

        return sorted(take_snapshot(LISTING_SECONDS).entries)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
