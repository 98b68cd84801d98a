"""`llm consortium`: the same service for those who live in a terminal.

Every `llm` command imports this file, so each command imports what it needs when it runs.
"""

from __future__ import annotations

import json

import click


@click.group()
def consortium() -> None:
    """Ask several models at once and have them come to one answer."""


@consortium.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def strategies(*, as_json: bool) -> None:
    """List the strategies: how answers become a verdict."""
    from consortium_mcp.adapters.extensions import install_strategies  # noqa: PLC0415
    from consortium_mcp.core.strategies import STRATEGIES  # noqa: PLC0415

    errors = install_strategies()
    if as_json:
        found = {name: each.description for name, each in STRATEGIES.items()}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        wide = max(len(name) for name in STRATEGIES)
        for name, each in STRATEGIES.items():
            click.echo(f"{name:{wide}}  {each.description}")
    for name, why in errors.items():
        click.echo(f"The strategy {name} of an installed package is missing: {why}", err=True)
