"""What our plugin costs every other `llm` command, in CPU time.

`python -m bench.plugin` runs `llm --help` and `llm models` in turn without and with it, three saved
consortiums in its database, and prints the least of each: what else the machine does can only add
to it. POSIX only: it asks the system for the CPU time of each child.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from consortium_mcp import create_consortium

ROUNDS = 15
COMMANDS = (("--help",), ("models",))


def cpu_seconds(arguments: tuple[str, ...], plugins: str) -> float:
    """CPU time of one `llm` command, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 (the command is ours)
        [sys.executable, "-m", "llm", *arguments],
        env=os.environ | {"LLM_LOAD_PLUGINS": plugins},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def extra_milliseconds(arguments: tuple[str, ...], rounds: int) -> tuple[float, float]:
    """Milliseconds without the plugin, and what it adds; the least of runs in turn."""
    without, with_it = [], []
    for _ in range(rounds):
        without.append(cpu_seconds(arguments, ""))
        with_it.append(cpu_seconds(arguments, "consortium-mcp"))
    return min(without) * 1000, (min(with_it) - min(without)) * 1000


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = str(Path(folder))
        for name in ("one", "two", "three"):
            create_consortium(["gpt-4o", "gpt-4.1"], arbiter="gpt-5").save(name)
        for arguments in COMMANDS:
            bare, extra = extra_milliseconds(arguments, ROUNDS)
            name = f"llm {' '.join(arguments)}"
            print(f"{name}: {bare:.0f} ms without the plugin, {extra:+.0f} ms with it")


if __name__ == "__main__":
    main()
