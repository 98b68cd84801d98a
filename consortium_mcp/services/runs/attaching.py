"""Attaches files to a consultation: who is shown what, and who is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.files.texts import PDF_SECONDS, text_in_pdf
from consortium_mcp.core.domain.attachment import check_together
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.panel.showing import judging_blind, panel_for, shown_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.services.resolution import ResolvedConsortium


async def attach(
    resolved: ResolvedConsortium, attachments: Sequence[Attachment]
) -> tuple[ResolvedConsortium, tuple[Attachment, ...]]:
    """The consortium without those who cannot be shown the attachments, and the attachments.

    A consortium in it takes what its own members take; if nobody in it can be shown all, it counts
    as a model that takes nothing.

    Raises:
        ConfigError: nobody is left, or `on_unsupported` is `fail`, or it is too much together.
    """
    if not attachments:
        return resolved, ()
    check_together(attachments)
    types, of_arbiters = dict(resolved.attachment_types), [*resolved.of_arbiters]
    warnings = [*resolved.warnings]
    for name, inner in resolved.nested.items():
        try:
            changed, attachments = await attach(inner, attachments)
        except ConfigError as error:
            types[name] = frozenset()
            warnings.append(f"In {name}: {error}")
        else:
            new = [each for each in changed.warnings if each not in inner.warnings]
            warnings += [f"In {name}: {each}" for each in new]
            of_arbiters += [f"In {name}: {each}" for each in new if each in changed.of_arbiters]
    attachments = await _with_texts(shown_to(attachments, types), resolved.config, types)
    check_together(attachments)
    config, about_members = panel_for(resolved.config, attachments)
    judges = (config.arbiter, *config.arbiters)
    blind = [each for name in judges if (each := judging_blind(name, attachments))]
    changed = replace(
        resolved,
        config=config,
        warnings=(*warnings, *about_members, *blind),
        of_arbiters=(*of_arbiters, *blind),
    )
    return changed, attachments


async def _with_texts(
    attachments: Sequence[Attachment], config: ConsortiumConfig, asked: Iterable[str]
) -> tuple[Attachment, ...]:
    """The attachments, with the texts of those PDFs that somebody is to read as text."""
    readers = asked if config.on_unsupported == "text" else (config.arbiter, *config.arbiters)
    found = {
        each.identity: each
        for each in attachments
        if each.type == "application/pdf" and each.text is None and each.content is not None
        if not set(readers) <= set(each.shown_to)
    }
    until = anyio.current_time() + PDF_SECONDS
    for identity, each in found.items():
        text = await text_in_pdf(each.content or b"", until - anyio.current_time())
        found[identity] = each.model_copy(update={"text": text})
    return tuple(found.get(each.identity, each) for each in attachments)
