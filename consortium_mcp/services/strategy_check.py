"""Checks that a configuration's strategy exists and supports its other settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from consortium_mcp.adapters.entry_points import install_strategies
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.strategies import STRATEGIES, strategy_of
from consortium_mcp.core.structured.schema import read_schema

if TYPE_CHECKING:
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.strategies import Strategy


def checked_strategy(config: ConsortiumConfig) -> Strategy:
    """The configuration's strategy, one of ours or of an installed package.

    Raises:
        ConfigError: it does not exist, or has no use for another setting that is given.
    """
    install_strategies()
    strategy = strategy_of(config)
    for setting, is_given in (
        ("sampling", config.sampling != "full"),
        ("escalate_to", config.escalate_to is not None),
    ):
        if is_given and config.json_schema is not None:
            remedy = 'sampling="full"' if setting == "sampling" else "another panel"
            raise ConfigError(
                f"With a schema every member is asked, so there is no use for {setting}. Leave "
                f"that out; where a saved consortium brings it, give {remedy}."
            )
        if is_given and not strategy.asks_in_waves:
            supporting = ", ".join(name for name, each in STRATEGIES.items() if each.asks_in_waves)
            raise ConfigError(
                f"The strategy {config.strategy!r} needs every member, so it has no use for "
                f"{setting}. Leave that out, or choose one of {supporting}."
            )
    return strategy


async def check_schema(config: ConsortiumConfig) -> None:
    """Check the configuration's JSON Schema, where it has one.

    Raises:
        ConfigError: it cannot be used; the message names the remedy.
    """
    if config.json_schema is not None:
        await anyio.to_thread.run_sync(read_schema, config.json_schema)  # a large one takes a while
