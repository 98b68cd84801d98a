"""Checks that a configuration's strategy exists and supports its other settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    if config.json_schema is not None:
        read_schema(config.json_schema)
    for setting, is_given in (
        ("sampling", config.sampling != "full"),
        ("escalate_to", config.escalate_to is not None),
    ):
        if is_given and not strategy.asks_in_waves:
            supporting = ", ".join(name for name, each in STRATEGIES.items() if each.asks_in_waves)
            raise ConfigError(
                f"The strategy {config.strategy!r} needs every member, so it has no use for "
                f"{setting}. Leave that out, or choose one of {supporting}."
            )
    return strategy
