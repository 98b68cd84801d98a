"""`consortium-mcp install` in processes of its own.

install_at_once("cursor", environment, "one", "two", "three")
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support.programs import program

if TYPE_CHECKING:
    from collections.abc import Mapping


def install_at_once(client: str, environment: Mapping[str, str], *names: str) -> None:
    """Install under each of these names at the same time."""
    started = [
        subprocess.Popen(
            program("consortium_mcp", "install", client, "--name", name),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in names
    ]
    for process in started:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
