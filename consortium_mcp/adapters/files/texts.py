"""What is written in a file, for models that do not take the file itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio

from consortium_mcp.adapters.files.decoding import text_of
from consortium_mcp.core.domain.errors import ConfigError

MAX_TEXT = 200_000
"""Characters of one attachment's text, about 50,000 tokens: several of them fit a current model."""
PDF_SECONDS = 30.0
"""How long the texts of all PDFs of a call may take."""
_PROGRAM = Path(__file__).with_name("pdf_text.py")
_TEXT_TYPES = frozenset(
    {
        "application/json", "application/ld+json", "application/xml", "application/xhtml+xml",
        "application/yaml", "application/x-yaml", "application/toml", "application/javascript",
        "application/x-javascript", "application/typescript", "application/x-typescript",
        "application/x-sh",
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


async def text_in_pdf(content: bytes, seconds: float = PDF_SECONDS) -> str | None:
    """The text of a PDF, as much as is sent; `None` where it has none, or cannot be read in time.

    A PDF is foreign and may be made to exhaust whoever reads it (a page of a few kilobytes can
    expand to gigabytes), so a process of its own reads it, with limits.

    Args:
        content: the file.
        seconds: how long it may take.
    """
    # -P: without it, Python would import a `pypdf.py` of the folder that this was started in.
    command = [sys.executable, "-P", str(_PROGRAM), str(MAX_TEXT)]
    with anyio.move_on_after(seconds):
        try:
            done = await anyio.run_process(
                command, input=content, check=False, stderr=subprocess.DEVNULL
            )
        except OSError:
            return None
        text = done.stdout.decode("utf-8", "replace").strip()
        return text if done.returncode == 0 and text else None
    return None
