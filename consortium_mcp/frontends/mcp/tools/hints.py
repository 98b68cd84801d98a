"""Tool annotations: the effects of a tool, so that clients know when to ask their user."""

from __future__ import annotations

from mcp_types import ToolAnnotations

READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
CONSULTS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)
ADDS = ToolAnnotations(destructive_hint=False, open_world_hint=False)
RESUMES = CONSULTS.model_copy(update={"idempotent_hint": True})
REPLACES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)

LONG_RESULT = {"anthropic/maxResultSizeChars": 60_000}
"""Characters that a result with a page of texts may have, in text and in data; Claude Code
writes longer results to a file."""
