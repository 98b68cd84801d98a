"""Format a saved consortium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.consortium import members_as_written

if TYPE_CHECKING:
    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def consortium_line(config: ConsortiumConfig) -> str:
    """A saved consortium on one line."""
    about = f" — {config.description}" if config.description else ""
    return (
        f"**{config.name}**: {', '.join(members_as_written(config))}; arbiter {config.arbiter}; "
        f"strategy {config.strategy}; threshold {config.confidence_threshold:g}; "
        f"{config.min_iterations} to {config.max_iterations} iterations{about}"
    )
