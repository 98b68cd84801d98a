"""Attaches files to a consultation: who is shown what, and who is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consortium_mcp.adapters.files.texts import text_in_pdf
from consortium_mcp.core.panel.showing import judging_blind, panel_for, shown_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.services.resolution import ResolvedConsortium


async def attach(
    resolved: ResolvedConsortium, attachments: Sequence[Attachment]
) -> tuple[ResolvedConsortium, tuple[Attachment, ...]]:
    """The consortium without those who cannot be shown the attachments, and the attachments.

    Raises:
        ConfigError: nobody is left, or `on_unsupported` is `fail`.
    """
    if not attachments:
        return resolved, ()
    config = resolved.config
    shown = shown_to(attachments, resolved.attachment_types)
    judges = (config.arbiter, *config.arbiters)
    asked = judges if config.on_unsupported != "text" else tuple(resolved.attachment_types)
    read = [
        each.model_copy(update={"text": await text_in_pdf(each.content)})
        if each.type == "application/pdf"
        and each.content is not None
        and not set(asked) <= set(each.shown_to)
        else each
        for each in shown
    ]
    config, warnings = panel_for(config, read)
    of_arbiters = [each for name in judges if (each := judging_blind(name, read))]
    changed = replace(
        resolved,
        config=config,
        warnings=(*resolved.warnings, *warnings, *of_arbiters),
        of_arbiters=(*resolved.of_arbiters, *of_arbiters),
    )
    return changed, tuple(read)
