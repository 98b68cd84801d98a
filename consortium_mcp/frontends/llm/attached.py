"""What `-a`, `--at`, `-f` and `--sf` name, read as llm reads it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import llm
import llm.cli
import llm.migrations
import sqlite_utils

from consortium_mcp.adapters.files.attachments import (
    attachment_of_content,
    read_attachments,
    spec_of,
)
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
        ConfigError: something cannot be read.
        ClickException: a fragment cannot be loaded.
    """
    named: list[tuple[str, str | None]] = [*((path, None) for path in paths), *typed]
    specs = [spec_of(path, type_) for path, type_ in named if path != STDIN]
    found = [*read_attachments(specs, None)]
    if piped := [type_ for path, type_ in named if path == STDIN]:
        content = sys.stdin.buffer.read()
        found.append(attachment_of_content("stdin", content, piped[0]))
    for each in _resolved(fragments, with_attachments=True):
        if isinstance(each, llm.Attachment):
            found.append(from_llm(each))
        else:
            name = str(getattr(each, "source", None) or "fragment")
            found.append(attachment_of_content(name, str(each).encode("utf-8", "replace")))
    return tuple(found)


def system_of(system: str | None, fragments: Sequence[str]) -> str | None:
    """The system prompt after these fragments, as llm joins them.

    Raises:
        ClickException: a fragment cannot be loaded, or is no text.
    """
    texts = [str(each) for each in _resolved(fragments, with_attachments=False)]
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


def _resolved(fragments: Sequence[str], *, with_attachments: bool) -> list[Any]:
    """Fragments (texts with a `source`) and attachments, found as llm finds them."""
    if not fragments:
        return []
    cli: Any = llm.cli  # untyped, like its migrations
    migrations: Any = llm.migrations
    path = cli.logs_db_path()
    # Aliases of fragments are in llm's log, which is not made for this.
    db = sqlite_utils.Database(path) if path.exists() else sqlite_utils.Database(memory=True)
    try:
        migrations.migrate(db)
        return [*cli.resolve_fragments(db, fragments, allow_attachments=with_attachments)]
    except cli.FragmentNotFound as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:  # files, encodings, and whatever llm's HTTP client raises
        raise click.ClickException(f"A fragment cannot be loaded: {error}") from error
    finally:
        db.conn.close()
