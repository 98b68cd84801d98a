"""Reads the bytes that a terminal or a pipe gives as the text that was meant, or refuses them."""

from __future__ import annotations

import locale
import os
import sys

from consortium_mcp.adapters.files.decoding import text_of


def piped_text() -> str | None:
    """The text that is piped in; `None` if stdin is a terminal or missing.

    Raises:
        ConfigError: it is not text, or in an encoding that nobody can tell.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return None
    return text_of(sys.stdin.buffer.read(), "What is piped in", local_encodings()).strip()


def argument_text(text: str) -> str:
    """An argument of the command line as it was meant.

    Python keeps the bytes that it cannot decode as lone surrogates (PEP 383).

    Raises:
        ConfigError: it is in an encoding that nobody can tell.
    """
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    try:
        data = os.fsencode(text)
    except UnicodeEncodeError:  # half a character, which no command line has: for `clean`
        return text
    return text_of(data, "A text on the command line", local_encodings())


def local_encodings() -> list[str]:
    """What the user's settings say about input: Python's own variables, then the locale."""
    return [*dict.fromkeys((getattr(sys.stdin, "encoding", None) or "utf-8", locale.getencoding()))]
