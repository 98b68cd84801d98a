"""Whether a program's user is signed in, asked only in ways that cost nothing.

The programs are asked in threads, all at once, and what they said is remembered for a while.
"""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.adapters.agents.environment import environment_for, key_in_use
from consortium_mcp.adapters.agents.finding import find
from consortium_mcp.adapters.agents.programs import Ended, SignIn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consortium_mcp.adapters.agents.programs import Program

_REMEMBERED_YES, _REMEMBERED_NO = 300.0, 10.0
"""Seconds for which an answer holds: who is not signed in may be doing so now."""


@dataclass
class _Check:
    """A question to a program, running or answered."""

    thread: threading.Thread
    began: float
    answer: SignIn = "unknown"

    @property
    def is_old(self) -> bool:
        holds = _REMEMBERED_YES if self.answer == "yes" else _REMEMBERED_NO
        return not self.thread.is_alive() and time.monotonic() - self.began > holds


_CHECKS: dict[str, _Check] = {}
"""By the program's name. They belong to the process."""
_LOCK = threading.Lock()


def signed_in(program: Program, seconds: float, others: Iterable[Program] = ()) -> SignIn:
    """Whether the program can answer, by a key or a sign-in.

    Args:
        program: the one that is meant.
        seconds: how long it is waited for, from when it was asked; an answer that comes later
            counts at the next question.
        others: programs that will be asked about next; they are asked at the same time.
    """
    if key_in_use(program) is not None:
        return "yes"
    if not program.status_command:
        return program.read_status(Ended(0, "", ""))
    with _LOCK:
        for each in (program, *others):
            if each.status_command and (each.name not in _CHECKS or _CHECKS[each.name].is_old):
                _CHECKS[each.name] = _begun(each)
        check = _CHECKS[program.name]
    check.thread.join(max(0.0, check.began + seconds - time.monotonic()))
    return check.answer


def forget() -> None:
    """Ask again at the next question."""
    with _LOCK:
        _CHECKS.clear()


def _begun(program: Program) -> _Check:
    def ask() -> None:
        check.answer = _asked(program)

    check = _Check(threading.Thread(target=ask, daemon=True), time.monotonic())
    check.thread.start()
    return check


def _asked(program: Program) -> SignIn:
    path = find(program.name, Path.home())
    if path is None:
        return "no"
    try:
        ended = subprocess.run(  # noqa: S603 (the user's own program)
            [str(path), *program.status_command],
            env=environment_for(program, None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    output, errors = (each.decode("utf-8", "replace") for each in (ended.stdout, ended.stderr))
    return program.read_status(Ended(ended.returncode, output, errors))
