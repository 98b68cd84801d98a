"""Who can be shown an attachment, and what becomes of those who cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def shown_to(
    attachments: Sequence[Attachment], types: Mapping[str, frozenset[str] | None]
) -> tuple[Attachment, ...]:
    """The attachments, each with the names of those that get it as a file.

    A text is quoted in the prompt, which every model takes; only a consortium gets its file.

    Args:
        attachments: what is attached.
        types: by the name of whoever may be asked, the MIME types that it takes; `None` for all.
    """
    return tuple(
        each.model_copy(
            update={
                "shown_to": tuple(
                    name
                    for name, taken in types.items()
                    if taken is None or (each.type in taken and not each.is_text)
                )
            }
        )
        for each in attachments
    )


def panel_for(
    config: ConsortiumConfig, attachments: Sequence[Attachment]
) -> tuple[ConsortiumConfig, tuple[str, ...]]:
    """The panel without those who can be shown neither the files nor their text.

    Args:
        config: the panel, and what `on_unsupported` says.
        attachments: as `shown_to` gives them, with the texts that may be sent instead.

    Returns:
        The panel, and a warning for each that is left out or gets the text.

    Raises:
        ConfigError: nobody is left, or one cannot and `on_unsupported` is `fail`.
    """
    names = dict.fromkeys(member.model for member in config.members)
    unable = {name: why for name in names if (why := _unable(name, config, attachments))}
    reserve = config.escalate_to
    if reserve and (why := _unable(reserve, config, attachments)):
        unable[reserve] = why
    why = "; ".join(f"{name} {reason}" for name, reason in unable.items())
    if unable and config.on_unsupported == "fail":
        raise ConfigError(
            f"{why}. Name models that do, or set on_unsupported to skip to leave out those that "
            "do not."
        )
    members = tuple(member for member in config.members if member.model not in unable)
    if not members:
        has_text = any(each.type == "application/pdf" for each in attachments)
        or_text = ', or set on_unsupported to "text" to send the text of a PDF'
        more = or_text if has_text and config.on_unsupported != "text" else ""
        raise ConfigError(f"No member can be asked: {why}. Name models that do{more}.")
    warnings = [f"{name} {reason}, so it is left out." for name, reason in unable.items()]
    asked = [*names, *([reserve] if reserve else [])]
    warnings += _told_in_text([name for name in asked if name not in unable], attachments)
    kept = {"members": members, "escalate_to": None if reserve in unable else reserve}
    return config.model_copy(update=kept), tuple(warnings)


def _unable(name: str, config: ConsortiumConfig, attachments: Sequence[Attachment]) -> str | None:
    """Why this one cannot be shown all that is attached, in words; `None` where it can."""
    missing = [each for each in attachments if name not in each.shown_to and not each.is_text]
    if config.on_unsupported == "text":
        missing = [each for each in missing if each.text is None]
        without = ", of which there is no text"
    else:
        without = ""
    if not missing:
        return None
    return f"does not take {', '.join(dict.fromkeys(e.type for e in missing))}{without}"


def _told_in_text(names: Sequence[str], attachments: Sequence[Attachment]) -> list[str]:
    return [
        f"Of {each.name}, {', '.join(reading)} got only the text in it."
        for each in attachments
        if not each.is_text and (reading := [n for n in names if n not in each.shown_to])
    ]


def judging_blind(arbiter: str, attachments: Sequence[Attachment]) -> str | None:
    """The warning that this arbiter is not shown all that is attached; `None` where it is."""
    unseen = [e.name for e in attachments if arbiter not in e.shown_to and e.text is None]
    if not unseen:
        return None
    return f"{arbiter} cannot be shown {', '.join(unseen)}: it judges by the answers alone."
