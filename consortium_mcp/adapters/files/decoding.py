"""Tells which encoding bytes are in, and refuses what is no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_of(data: bytes, what: str, encodings: Sequence[str]) -> str:
    r"""The bytes as text, every line ended by `\n`.

    A mark at the beginning says the encoding. Without one it is UTF-8, or else the first of
    `encodings` that fits.

    Args:
        data: the bytes.
        what: what they are; an error begins with it.
        encodings: what else the bytes may be in.

    Raises:
        ConfigError: the encoding cannot be told, or the bytes are no text.
    """
    mark, marked = next((each for each in MARKS if data.startswith(each[0])), (b"", None))
    body = data[len(mark) :]
    if marked is None and b"\0" in data:
        raise ConfigError(
            f"{what} holds zero bytes: it is no text, or UTF-16 without a mark. Save it as UTF-8."
        )
    misfits: list[UnicodeDecodeError] = []
    for encoding in [marked] if marked else ["utf-8", *encodings]:
        try:
            return body.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            misfits.append(error)
    first = misfits[0]
    or_locale = ", or set the locale (LC_ALL) that it is in" if encodings else ""
    raise ConfigError(
        f"{what} is not text in {first.encoding.upper()}: byte 0x{body[first.start]:02x} at "
        f"position {first.start}. Save or convert it as UTF-8, for example with `iconv -f LATIN1 "
        f"-t UTF-8`{or_locale}."
    )
