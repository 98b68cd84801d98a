"""Runs a command on a pseudo-terminal of a given width, and gives back what a person would see."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NEEDS_PTY = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
LONGEST = 120
"""Seconds after which a command is taken to hang."""
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;[\d;]+)m")


@dataclass(frozen=True)
class Seen:
    """What came of a command on a terminal."""

    code: int
    raw: str
    """All that was written to the terminal, sequences included."""
    piped: str
    """What was written to stdout, where that is a pipe."""

    @property
    def text(self) -> str:
        """What was written, without sequences."""
        return _SEQUENCE.sub("", self.raw).replace("\r\n", "\n")

    @property
    def after(self) -> str:
        """What was written after the last row was erased."""
        return _SEQUENCE.sub("", self.raw.rpartition("\x1b[2K")[2]).replace("\r\n", "\n")

    @property
    def is_coloured(self) -> bool:
        """Whether anything has a colour; bold and dim are none."""
        return _COLOUR.search(self.raw) is not None


def seen(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    piped: bool = False,
    on_text: Callable[[str, subprocess.Popen[bytes]], None] | None = None,
) -> Seen:
    """Run a command with stdin and stderr on a terminal, and stdout too if it is not piped.

    Args:
        command: the program and its arguments.
        environment: its whole environment; `TERM` is `xterm-256color` where it has none.
        columns: the terminal's width.
        piped: whether stdout is a pipe.
        on_text: called with all that the terminal has shown, whenever something is added.
    """
    import fcntl  # noqa: PLC0415 (POSIX only)
    import termios  # noqa: PLC0415

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    child = subprocess.Popen(
        command,
        env=_without_ours(environment),
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE if piped else theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    raw = b""
    try:
        while part := _read(ours):
            raw += part
            if on_text is not None:
                on_text(raw.decode("utf-8", "replace"), child)
        stdout, _ = child.communicate(timeout=LONGEST)
    finally:
        child.kill()
        os.close(ours)
    return Seen(child.returncode, raw.decode(), (stdout or b"").decode())


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would decide about colours and the width in the place of the test."""
    decides = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    unset = {name for name in decides if environment.get(name) == os.environ.get(name)}
    kept = {name: value for name, value in environment.items() if name not in unset}
    if environment.get("TERM") == os.environ.get("TERM"):
        kept["TERM"] = "xterm-256color"
    return kept


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that the other end is closed
        return b""
