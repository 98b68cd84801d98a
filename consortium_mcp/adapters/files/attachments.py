"""Reads what is attached to a question: files, texts, encoded content and web addresses."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from consortium_mcp.adapters.files.folders import read_file, too_large
from consortium_mcp.adapters.files.texts import is_text, text_in
from consortium_mcp.core.domain.attachment import Attachment, AttachmentSpec, file_name
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.files.folders import Folders

MAX_BYTES = 20_000_000
"""Of one attachment: the most that OpenAI, Anthropic and Gemini all take in a request."""
MAX_ATTACHMENTS = 20
MAX_TOTAL_BYTES = 40_000_000
_USUAL_TYPES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/mpga": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "application/x-pdf": "application/pdf",
}
"""Other names of types -> the one that plugins list."""


def read_attachments(
    specs: Sequence[str | AttachmentSpec], folders: Folders | None
) -> tuple[Attachment, ...]:
    """The attachments with their content.

    Args:
        specs: each a path, a URL, or a description of one.
        folders: the folders whose files may be read; `None` where the person at this machine names
            the files, who may read them all.

    Raises:
        ConfigError: one cannot be read or may not be, is too large, or its type is not known.
    """
    if len(specs) > MAX_ATTACHMENTS:
        raise ConfigError(
            f"There are {len(specs)} attachments; at most {MAX_ATTACHMENTS} are sent."
        )
    found: dict[str, Attachment] = {}
    for each in specs:
        attachment = _read(_spec(each) if isinstance(each, str) else each.checked(), folders)
        found.setdefault(attachment.identity, attachment)
        total = sum(one.size or 0 for one in found.values())
        if total > MAX_TOTAL_BYTES:
            raise ConfigError(too_large("All that is attached", total, MAX_TOTAL_BYTES))
    return tuple(found.values())


def _spec(text: str) -> AttachmentSpec:
    """What a plain text names: a web address by its scheme, or else a path."""
    scheme = urlsplit(text.strip()).scheme.lower() if ":" in text[:12] else ""
    if len(scheme) > 1:  # a single letter is a drive of Windows
        return AttachmentSpec(url=text.strip())
    return AttachmentSpec(path=text)


def _read(spec: AttachmentSpec, folders: Folders | None) -> Attachment:
    if spec.url is not None:
        return _at_address(spec, spec.url.strip())
    if spec.text is not None:
        content = spec.text.encode("utf-8", "replace")
        return attachment_of_content(spec.name or "text", content, spec.type or "text/plain")
    if spec.base64 is not None:
        return _encoded(spec, spec.base64)
    path = spec.path or ""
    if folders is not None:
        content = folders.read(path, MAX_BYTES)
    else:
        content = read_file(Path(path).expanduser().resolve(), path, MAX_BYTES)
    return attachment_of_content(spec.name or Path(path).name, content, spec.type)


def _at_address(spec: AttachmentSpec, url: str) -> Attachment:
    parts = urlsplit(url)
    if parts.scheme.lower() == "data":
        return _data_url(spec, url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"{url[:100]} was not read: a URL begins with https:// or http://. For a file, write "
            "its path."
        )
    name = unquote(parts.path.rpartition("/")[2]) or parts.hostname
    type_ = spec.type or mimetypes.guess_type(name)[0]
    if type_ is None:
        raise ConfigError(
            f"What {url[:100]} is cannot be told from its name. Give its type as well, for example "
            '{"url": "…", "type": "image/png"}.'
        )
    if is_text(_usual(type_)):
        raise ConfigError(
            f"{url[:100]} is text, which no provider fetches. Give the text itself, or its file."
        )
    return Attachment(name=file_name(spec.name or name), type=_usual(type_), url=url)


def _data_url(spec: AttachmentSpec, url: str) -> Attachment:
    """The content of a `data:` URL (RFC 2397)."""
    head, comma, data = url[len("data:") :].partition(",")
    type_, *parameters = head.split(";")
    if not comma:
        raise ConfigError(f"{url[:50]} is no data URL: write data:image/png;base64,… .")
    told = spec.type or type_ or "text/plain"
    if parameters and parameters[-1].strip().lower() == "base64":
        return _encoded(spec.model_copy(update={"type": told}), unquote(data))
    if len(data) > 3 * MAX_BYTES:
        raise ConfigError(too_large("A data URL", len(data), MAX_BYTES))
    return attachment_of_content(spec.name or "data", unquote_to_bytes(data), told)


def _encoded(spec: AttachmentSpec, text: str) -> Attachment:
    name = spec.name or "attachment"
    if spec.type is None:
        raise ConfigError(f"Give the type of {name} with its base64, such as image/png.")
    if len(text) * 3 // 4 > MAX_BYTES:
        raise ConfigError(too_large(name, len(text) * 3 // 4, MAX_BYTES))
    bare = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        content = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"The base64 of {name} cannot be decoded: {error}.") from error
    return attachment_of_content(name, content, spec.type)


def attachment_of_content(name: str, content: bytes, type_: str | None = None) -> Attachment:
    """An attachment of this content.

    Args:
        name: of the file, which may tell its type.
        content: what is in it.
        type_: its MIME type, if it is known.

    Raises:
        ConfigError: it is empty or too large, of an unknown type, or no text though its type is.
    """
    if not content:
        raise ConfigError(f"{name} is empty.")
    if len(content) > MAX_BYTES:
        raise ConfigError(too_large(name, len(content), MAX_BYTES))
    told = type_ or _type_of(name, content)
    if told is not None and not is_text(_usual(told)):
        return Attachment.of(name, _usual(told), content)
    try:
        text = text_in(content, name)
    except ConfigError as error:
        if told is None and b"\0" in content:
            raise ConfigError(
                f"What {name} is cannot be told from its name or its content. Give its type, for "
                f'example {{"path": "{name}", "type": "application/pdf"}}.'
            ) from error
        raise
    return Attachment.of(name, _usual(told or "text/plain"), content, text)


def _type_of(name: str, content: bytes) -> str | None:
    """The type by the beginning of the content or the name; `None` where neither tells."""
    for start, type_ in _BEGINNINGS:
        if content.startswith(start):
            return type_
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    guessed, encoding = mimetypes.guess_type(name)
    if encoding is not None:  # .gz and the like
        return "application/octet-stream"
    # What only a name says may be wrong: .ts is a film to `mimetypes`, and TypeScript to people.
    is_sure = guessed is not None and (is_text(guessed) or b"\0" in content[:10_000])
    return guessed if is_sure else None


_BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
"""Of content -> its type."""


def _usual(type_: str) -> str:
    bare = type_.partition(";")[0].strip().lower()
    return _USUAL_TYPES.get(bare, bare)
