"""Reads what is attached to a question: files, texts, encoded content and web addresses."""

from __future__ import annotations

import base64
import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from consortium_mcp.adapters.files.folders import read_file, too_large
from consortium_mcp.adapters.files.texts import is_text, text_in
from consortium_mcp.core.domain.attachment import (
    Attachment,
    AttachmentSpec,
    check_together,
    file_name,
)
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.files.folders import Folders

MAX_BYTES = 20_000_000
"""Of one attachment: the most that OpenAI, Anthropic and Gemini all take in a request."""
MAX_URL = 2_000
"""Characters of a web address, which every server takes."""
_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_TYPES = mimetypes.MimeTypes()
"""Python's own, the same everywhere: not those of the system or of Windows' registry."""
for _ending, _type in (
    (".m4a", "audio/mp4"), (".flac", "audio/flac"), (".ogg", "audio/ogg"), (".wav", "audio/wav"),
    (".webp", "image/webp"), (".heic", "image/heic"), (".avif", "image/avif"),
    (".md", "text/markdown"),
):  # fmt: skip
    _TYPES.add_type(_type, _ending)
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
    found: dict[str, Attachment] = {}
    for each in specs:
        attachment = _read(spec_of(each) if isinstance(each, str) else each.checked(), folders)
        found.setdefault(attachment.identity, attachment)
        check_together(found.values())
    return tuple(found.values())


def spec_of(text: str, type_: str | None = None) -> AttachmentSpec:
    """What a plain text names: a web address by its scheme, or else a path.

    Args:
        text: the path or the URL.
        type_: its MIME type, if it was given.
    """
    scheme, colon, rest = text.strip().partition(":")
    if colon and (rest.startswith("//") or scheme.lower() in {"data", "file"}):
        return AttachmentSpec(url=text.strip(), type=type_)
    return AttachmentSpec(path=text, type=type_)


def _read(spec: AttachmentSpec, folders: Folders | None) -> Attachment:
    if spec.url is not None:
        return _at_address(spec, spec.url.strip())
    if spec.text is not None:
        if not is_text(type_ := _usual(spec.type or "text/plain")):
            raise ConfigError(f"What is {type_} is no text: give it as base64, or its path.")
        content = spec.text.encode("utf-8", "replace")
        return attachment_of_content(spec.name or "text", content, type_)
    if spec.base64 is not None:
        is_url = spec.base64[:5].lower() == "data:"
        return _data_url(spec, spec.base64) if is_url else _encoded(spec, spec.base64)
    path = spec.path or ""
    if folders is not None:
        content = folders.read(path, MAX_BYTES)
    else:
        content = read_file(Path(path).expanduser().resolve(), path, MAX_BYTES)
    return attachment_of_content(spec.name or Path(path).name, content, spec.type)


def _at_address(spec: AttachmentSpec, url: str) -> Attachment:
    if url[:5].lower() == "data:":
        return _data_url(spec, url)
    shown = url[:100]
    if len(url) > MAX_URL:
        raise ConfigError(f"The URL {shown}… has more than {MAX_URL:,} characters: shorten it.")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"{shown} is no URL: {error}.") from error
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"{shown} was not read: a URL begins with https:// or http://. For a file, write its "
            "path."
        )
    name = unquote(parts.path.rpartition("/")[2]) or parts.hostname
    type_ = spec.type or _TYPES.guess_type(name, strict=False)[0]
    if type_ is None:
        raise ConfigError(
            f"What {shown} is cannot be told from its name. Give its type as well, for example "
            '{"url": "…", "type": "image/png"}.'
        )
    if is_text(type_ := _usual(type_)):
        raise ConfigError(
            f"{shown} is text, which no provider fetches. Give the text itself, or its file."
        )
    return Attachment(name=file_name(spec.name or name), type=type_, url=url)


def _data_url(spec: AttachmentSpec, url: str) -> Attachment:
    """The content of a `data:` URL (RFC 2397)."""
    head, comma, data = url[len("data:") :].partition(",")
    type_, *parameters = head.split(";")
    if not comma:
        raise ConfigError(f"{url[:50]} is no data URL: write data:image/png;base64,… .")
    name, told = spec.name or "data", spec.type or type_ or "text/plain"
    if len(data) > 3 * MAX_BYTES:  # as long as it may be with every byte as %XX
        raise ConfigError(too_large(name, len(data) * 3 // 4, MAX_BYTES))
    if parameters and parameters[-1].strip().lower() == "base64":
        return _encoded(AttachmentSpec(name=name, type=told), unquote(data))
    return attachment_of_content(name, unquote_to_bytes(data), told)


def _encoded(spec: AttachmentSpec, text: str) -> Attachment:
    name = spec.name or "attachment"
    if spec.type is None:
        raise ConfigError(f"Give the type of {name} with its base64, such as image/png.")
    if len(text) * 3 // 4 > MAX_BYTES + MAX_BYTES // 50:  # with its line breaks
        raise ConfigError(too_large(name, len(text) * 3 // 4, MAX_BYTES))
    bare = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        content = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError as error:
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
    told = _usual(type_) if type_ else _type_of(name, content)
    if told is not None and not is_text(told):
        return Attachment.of(name, told, content)
    try:
        text = text_in(content, name)
    except ConfigError as error:
        if told is None and b"\0" in content:
            raise ConfigError(
                f"What {name} is cannot be told from its name or its content. Give its type, for "
                f'example {{"path": "{name}", "type": "application/pdf"}}.'
            ) from error
        raise
    return Attachment.of(name, told or "text/plain", content, text)


def _type_of(name: str, content: bytes) -> str | None:
    """The type by the beginning of the content or the name; `None` where neither tells."""
    for start, type_ in _BEGINNINGS:
        if content.startswith(start):
            return type_
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12].lower(), "video/mp4")
    guessed, encoding = _TYPES.guess_type(name, strict=False)
    if encoding is not None:  # .gz and the like
        return "application/octet-stream"
    if guessed is None:
        return None
    # What only a name says may be wrong: .ts is a film to `mimetypes`, and TypeScript to people.
    is_binary = b"\0" in content[:10_000] and not content.startswith(tuple(m for m, _ in MARKS))
    return guessed if is_text(guessed) or is_binary else None


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
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif",
    b"m4a ": "audio/mp4", b"qt  ": "video/quicktime",
}  # fmt: skip
"""Of files in MP4's form, by the name that follows `ftyp`."""


def _usual(type_: str) -> str:
    """The type as plugins list it, without parameters.

    Raises:
        ConfigError: it is no MIME type.
    """
    bare = type_.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(bare):
        raise ConfigError(f"{type_[:50]!r} is no MIME type; write one such as image/png.")
    return _USUAL_TYPES.get(bare, bare)
