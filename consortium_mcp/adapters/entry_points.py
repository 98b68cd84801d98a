"""Strategies of other packages, by the entry point group `consortium_mcp.strategies`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies import register

GROUP = "consortium_mcp.strategies"


@cache
def install_strategies() -> dict[str, str]:
    """Register what installed packages offer, once a process.

    Each entry point names a class without arguments, or an instance, of a `Strategy`. One that
    cannot be loaded stands in nobody's way.

    Returns:
        Why which could not be registered, by name.
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
    """The names that installed packages offer; nothing is imported for it."""
    return sorted(entry.name for entry in entry_points(group=GROUP))
