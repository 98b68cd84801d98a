"""Format a saved consortium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.frontends.text.phrases import one_line

if TYPE_CHECKING:
    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def consortium_line(config: ConsortiumConfig, limit: int | None = None) -> str:
    """A saved consortium on one line, of at most `limit` characters."""
    about = f" — {config.description}" if config.description else ""
    line = (
        f"**{config.name}**: {', '.join(members_as_written(config))}; arbiter {config.arbiter}; "
        f"strategy {config.strategy}; threshold {config.confidence_threshold:g}; "
        f"{config.min_iterations} to {config.max_iterations} iterations{about}"
    )
    return line if limit is None else one_line(line, limit)
