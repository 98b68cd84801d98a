"""How tests start programs: as forks of one that has started already, where that can be.

Starting Python with all of `mcp` and `llm` takes more than two seconds of CPU, and an acceptance
test starts a program or several. A fork takes a tenth of that, and is as separate a process: with
its own streams, environment, signals and end. Tests of how a program starts, or of what else only
a fresh process shows, start it with `sys.executable`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from tests.support.fork_launcher import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
_LAUNCHER = str(ROOT / "tests" / "support" / "fork_launcher.py")


def program(module: str, *arguments: str) -> list[str]:
    """The command that runs a module, with the environment of the fixture `environment`.

    Args:
        module: one that needs no plugins of llm's but its own; `LLM_LOAD_PLUGINS` is empty.
        arguments: of the program.
    """
    return [sys.executable, "-S", "-E", _LAUNCHER, "-m", module, *arguments]


@contextmanager
def forking() -> Iterator[dict[str, str]]:
    """While it lasts, programs with these variables are forks; nothing changes but on Linux."""
    if sys.platform != "linux":
        yield {}
        return
    folder = tempfile.mkdtemp()  # the address of a socket must be short
    address = f"{folder}/forks"
    command = [sys.executable, "-m", "tests.support.fork_server", address]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert cast("IO[str]", server.stdout).readline() == "ready\n"
            yield {ADDRESS: address}
        finally:
            cast("IO[str]", server.stdin).close()  # it ends with this
            server.wait()
            shutil.rmtree(folder)
