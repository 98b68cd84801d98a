"""What `-a`, `--at`, `-f` and `--sf` name, read as llm reads it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import llm

from consortium_mcp.adapters.files.attachments import (
    attachment_of_content,
    read_attachments,
    spec_of,
)
from consortium_mcp.adapters.fragments import fragment_texts, load_fragments
from consortium_mcp.core.domain.attachment import AttachmentSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.attachment import Attachment

STDIN = "-"


def attachments_of(
    paths: Sequence[str], typed: Sequence[tuple[str, str]], fragments: Sequence[str]
) -> tuple[Attachment, ...]:
    """What a command line attaches. Its user may read every file.

    Args:
        paths: paths and URLs.
        typed: the same, each with its MIME type.
        fragments: as llm's `-f` takes them; their texts are quoted like those of files.

    Raises:
        ConfigError: something cannot be read or loaded.
    """
    named: list[tuple[str, str | None]] = [*((path, None) for path in paths), *typed]
    specs = [spec_of(path, type_) for path, type_ in named if path != STDIN]
    found = [*read_attachments(specs, None)]
    if piped := [type_ for path, type_ in named if path == STDIN]:
        content = sys.stdin.buffer.read()
        found.append(attachment_of_content("stdin", content, piped[0]))
    for each in load_fragments(fragments):
        if isinstance(each, llm.Attachment):
            found.append(from_llm(each))
        else:
            name = str(getattr(each, "source", None) or "fragment")
            found.append(attachment_of_content(name, str(each).encode("utf-8", "replace")))
    return tuple(found)


def system_of(system: str | None, fragments: Sequence[str]) -> str | None:
    """The system prompt after these fragments, as llm joins them.

    Raises:
        ConfigError: a fragment cannot be loaded, or is no text.
    """
    texts = fragment_texts(fragments, only_saved=False)
    return "\n\n".join([*texts, *([system] if system else [])]) or None


def from_llm(attachment: Any) -> Attachment:  # noqa: ANN401 (llm's class is untyped)
    """One of llm's attachments as ours.

    Raises:
        ConfigError: it cannot be read, or its type is not known.
    """
    if attachment.content is None and attachment.path:
        return read_attachments([AttachmentSpec(path=attachment.path, type=attachment.type)], None)[
            0
        ]
    if attachment.content is None:
        return read_attachments([AttachmentSpec(url=attachment.url, type=attachment.type)], None)[0]
    return attachment_of_content("attachment", attachment.content, attachment.type)
