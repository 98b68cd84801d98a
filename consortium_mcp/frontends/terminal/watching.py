"""Finds out whether a person looks, and only then loads what draws for them.

A stream that is no terminal gets the plain text that scripts rely on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import TextIO

    from consortium_mcp.frontends.terminal.live import LiveRows
    from consortium_mcp.frontends.terminal.screen import Screen
    from consortium_mcp.services.runs.progress import Progress


def screen(stream: TextIO | None = None) -> Screen | None:
    """What draws on this stream (by default stdout); `None` where it is no terminal."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty():
        return None
    from consortium_mcp.frontends.terminal.screen import Screen, console_of  # noqa: PLC0415 (rich)

    return Screen(console_of(stream))


def print_progress(progress: Progress) -> None:
    """A step of a run on a line of stderr, where rows cannot be drawn."""
    click.echo(f"· {progress.message}", err=True)


def live_rows() -> LiveRows | None:
    """Shows on stderr who has answered while a run works, and what the arbiter writes.

    `None` where nobody looks, or where lines cannot be drawn anew (`TERM=dumb`).
    """
    found = screen(sys.stderr)
    if found is None or found.console.is_dumb_terminal:
        return None
    from consortium_mcp.frontends.terminal.live import LiveRows  # noqa: PLC0415 (rich)

    return LiveRows(found.console)
