"""Strategies of other packages, from the entry point group `consortium_mcp.strategies`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies import register

GROUP = "consortium_mcp.strategies"


@cache
def install_strategies() -> dict[str, str]:
    """Register the strategies of installed packages, once per process.

    Each entry point names an instance of a `Strategy`, or a class that takes no arguments. One that
    cannot be loaded does not affect the others.

    Returns:
        Name -> why it could not be registered.
    """
    errors = {}
    for entry in entry_points(group=GROUP):
        try:
            found = entry.load()
            register(entry.name, found() if isinstance(found, type) else found)
        except UnknownStrategy as error:
            errors[entry.name] = str(error)
        except Exception as error:  # noqa: BLE001 (foreign code)
            errors[entry.name] = f"{type(error).__name__}: {error}"
    return errors


def strategy_names() -> list[str]:
    """The names that installed packages offer; nothing is imported to find them."""
    return sorted(entry.name for entry in entry_points(group=GROUP))
