"""`consortium-mcp replay --suggest`: the panels that are right most often for what they cost."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation.replay import check
from consortium_mcp.core.evaluation.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.evaluation.recordings import Recording

REST = "*"
"""In tiers and prices, stands for all models that are not named."""


def suggestions(
    recordings: Sequence[Recording],
    models: Sequence[str],
    largest: int,
    prices: Sequence[tuple[str, str]],
    *,
    as_json: bool = False,
) -> None:
    """Print the panels that are right most often for what they cost.

    Args:
        recordings: the questions with their answers.
        models: who may be in them; all that are recorded where empty.
        largest: the most members.
        prices: (model, US dollars a call); none to count calls.
        as_json: print them as JSON.

    Raises:
        ConfigError: the recordings cannot be used, or a price is missing or no number.
    """
    known = {model for each in recordings for model in (*each.answers, *each.texts)}
    among = list(models) or sorted(known)
    check(recordings, among)
    paid = _dollars(prices, among) if prices else None
    found = suggest(recordings, among, largest, paid)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    click.echo(f"Of {len(among)} models, on {len(recordings)} questions by cross-validation:\n")
    click.echo(f"{'USD' if paid else 'calls':>9}  accuracy  95 %          panel")
    for each in found:
        low, high = each.interval
        cost = f"{each.cost:9.5f}" if paid else f"{each.cost:9.0f}"
        click.echo(f"{cost}  {each.accuracy:7.1%}   {low:.1%}–{high:.1%}  {', '.join(each.panel)}")


def _dollars(prices: Sequence[tuple[str, str]], models: Sequence[str]) -> dict[str, float]:
    given = dict(prices)
    if missing := [model for model in models if model not in given and REST not in given]:
        raise ConfigError(
            f"No price is given of {', '.join(missing)}: add --price MODEL=USD, or --price '*=USD'."
        )
    try:
        return {model: float(given.get(model) or given[REST]) for model in models}
    except ValueError as error:
        raise ConfigError(f"A price is US dollars a call, such as 0.002: {error}.") from error
