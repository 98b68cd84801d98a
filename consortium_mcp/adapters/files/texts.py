"""What is written in a file, for models that do not take the file itself."""

from __future__ import annotations

import subprocess
import sys

import anyio
import anyio.to_thread

from consortium_mcp.adapters.files.decoding import text_of
from consortium_mcp.core.domain.errors import ConfigError

MAX_TEXT = 200_000
"""Characters of one attachment's text, about 50,000 tokens: several of them fit a current model."""
PDF_SECONDS = 30.0
"""How long the text of one PDF may take."""
_TEXT_TYPES = frozenset(
    {
        "application/json", "application/ld+json", "application/xml", "application/xhtml+xml",
        "application/yaml", "application/x-yaml", "application/toml", "application/javascript",
        "application/x-javascript", "application/typescript", "application/x-sh",
        "application/x-python", "application/sql", "application/x-httpd-php", "application/rtf",
        "application/x-ndjson", "application/graphql", "image/svg+xml", "message/rfc822",
    }
)  # fmt: skip


def is_text(type_: str) -> bool:
    """Whether files of this MIME type are text."""
    return type_.startswith("text/") or type_ in _TEXT_TYPES or type_.endswith(("+json", "+xml"))


def text_in(content: bytes, name: str) -> str:
    """The text of a text file.

    Raises:
        ConfigError: it is no text, or too long.
    """
    text = text_of(content, name, ())
    if len(text) > MAX_TEXT:
        raise ConfigError(
            f"{name} has {len(text):,} characters of text, and at most {MAX_TEXT:,} are sent: "
            "attach the part that matters."
        )
    return text


async def text_in_pdf(content: bytes) -> str | None:
    """The text of a PDF, as much as is sent; `None` where it has none, or cannot be read in time.

    A PDF is foreign and may be made to exhaust whoever reads it (a page of a few kilobytes can
    expand to gigabytes), so a process of its own reads it, with limits.
    """
    command = [sys.executable, "-m", "consortium_mcp.adapters.files.pdf_text", str(MAX_TEXT)]
    with anyio.move_on_after(PDF_SECONDS):
        try:
            done = await anyio.run_process(
                command, input=content, check=False, stderr=subprocess.DEVNULL
            )
        except OSError:
            return None
        text = done.stdout.decode("utf-8", "replace").strip()
        return text if done.returncode == 0 and text else None
    return None
