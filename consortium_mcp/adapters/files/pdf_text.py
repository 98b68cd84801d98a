"""Prints the text of the PDF on stdin: a program, started by `texts`, which limits it.

    python -P pdf_text.py MAX_CHARACTERS

It needs nothing of this package, so that it begins at once and wherever it is started.

It ends with exit code 1 where the PDF cannot be read.
"""

from __future__ import annotations

import io
import sys
from contextlib import suppress

MAX_MEMORY = 1_500_000_000
"""Bytes of address space, where the system can limit it; pypdf limits each stream by itself."""


def main() -> int:
    """Print the text of each page, until there is enough of it."""
    content = sys.stdin.buffer.read()
    _limit_memory()
    from pypdf import PdfReader  # noqa: PLC0415 (after the limit)

    most = left = int(sys.argv[1])
    try:
        for number, page in enumerate(PdfReader(io.BytesIO(content)).pages, 1):
            written = page.extract_text().strip()
            text = f"[page {number}]\n{written}\n" if written else ""
            sys.stdout.buffer.write(text[:left].encode("utf-8", "replace"))
            left -= len(text)
            if left <= 0:
                note = f"\n[… the rest, after {most} characters, is left out …]\n"
                sys.stdout.buffer.write(note.encode())
                break
    except Exception as error:  # noqa: BLE001 (pypdf raises whatever a broken file leads to)
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return
    with suppress(ValueError, OSError):  # macOS may refuse, and another limit may be lower
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


if __name__ == "__main__":
    sys.exit(main())
