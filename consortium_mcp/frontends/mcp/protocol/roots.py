"""The folders that may be read for a call: those of `CONSORTIUM_FILES`, or else the client's roots.

Roots are the folders that the client has open (the user's project). They are read on stdio only:
those of a client elsewhere are no folders of this machine. The two eras of the protocol carry the
question differently.
"""

from __future__ import annotations

import glob
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import anyio.to_thread
from mcp.shared.exceptions import MCPError
from mcp_types import InputRequiredResult, ListRootsRequest, ListRootsResult
from pydantic import ValidationError

from consortium_mcp.adapters.files.attachments import read_attachments, spec_of
from consortium_mcp.adapters.files.folders import Folders
from consortium_mcp.frontends.mcp.protocol.elicitation import asks_in_the_result
from consortium_mcp.frontends.mcp.protocol.lifespan import lifespan_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.mcpserver import Context

    from consortium_mcp.core.domain.attachment import Attachment, AttachmentSpec
    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan

_KEY = "roots"


async def attached_to(
    ctx: Context[ServerLifespan], specs: Sequence[str | AttachmentSpec]
) -> tuple[Attachment, ...] | InputRequiredResult:
    """The attachments of a call, read; or the result that asks the client for its roots.

    Raises:
        ConfigError: one of them cannot be read, or may not be.
    """
    folders = Folders(())
    if any(_names_a_file(each) for each in specs):
        found = await _folders_for(ctx)
        if isinstance(found, InputRequiredResult):
            return found
        folders = found
    return await anyio.to_thread.run_sync(read_attachments, specs, folders)


def _names_a_file(spec: str | AttachmentSpec) -> bool:
    return (spec_of(spec) if isinstance(spec, str) else spec).path is not None


async def _folders_for(ctx: Context[ServerLifespan]) -> Folders | InputRequiredResult:
    """The folders, or the result that asks the client for its roots."""
    state = lifespan_of(ctx)
    settings = state.settings
    closed = (settings.user_dir, *_files_of(settings.database))
    if settings.files or not _offers_roots(ctx):
        return Folders(settings.files, closed)
    if asks_in_the_result(ctx):
        answer = (ctx.input_responses or {}).get(_KEY)
        if isinstance(answer, ListRootsResult):
            state.roots = _folders(answer)
        elif state.roots is None:
            return InputRequiredResult(input_requests={_KEY: ListRootsRequest()})
    else:
        state.roots = await _asked(ctx)
    return Folders(state.roots or (), closed)


def _files_of(database: Path) -> list[Path]:
    """The database, what SQLite keeps beside it, and those that were set aside as damaged."""
    beside = [database.with_name(f"{database.name}-{end}") for end in ("wal", "shm", "journal")]
    return [database, *beside, *database.parent.glob(f"{glob.escape(database.stem)}.damaged-*")]


async def _asked(ctx: Context[ServerLifespan]) -> tuple[Path, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and offered by the clients that people have
        try:
            return _folders(await ctx.session.list_roots())
        except (MCPError, ValidationError):  # it offers roots, and tells none or what is none
            return ()


def _offers_roots(ctx: Context[ServerLifespan]) -> bool:
    capabilities = ctx.client_capabilities
    on_stdio = ctx.request_context.request is None
    return on_stdio and capabilities is not None and capabilities.roots is not None


def _folders(found: ListRootsResult) -> tuple[Path, ...]:
    """The folders among the roots. The root of a whole disk opens nothing."""
    paths = [_path(str(root.uri)) for root in found.roots]
    return tuple(path for path in paths if path is not None and path != Path(path.anchor))


def _path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        return None
    text = unquote(parts.path)
    if os.name == "nt":  # /C:/work
        text = text.lstrip("/")
    path = Path(text)
    return path if path.is_absolute() else None
