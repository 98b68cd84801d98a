"""How long the server takes to end: `python -m bench.ending` (POSIX; the aim is under a second).

Each way out is tried while a sync model is stuck in a call, the median of five.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.support.wire import Wire

ENDS = ("end of input", "SIGTERM", "SIGINT", "SIGHUP")
TIMES = 5


def seconds(how: str, environment: dict[str, str], database: Path) -> float:
    """From the goodbye to the end of the process."""
    with Wire(environment) as wire:
        wire.initialize()
        asked = {"prompt": "?", "models": ["sure", "stuck"], "arbiter": "judge", "wait_seconds": 0}
        wire.call("consult_consortium", asked)
        wire.until_recorded(database, exchanges=1)
        began = time.monotonic()
        if how == "end of input":
            wire.stdin.close()
        else:
            wire.process.send_signal(getattr(signal, how))
        wire.process.wait(60)
        return time.monotonic() - began


def main() -> None:
    """Print the figures."""
    for how in ENDS:
        took = []
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as folder:
                environment = dict(os.environ)
                environment |= {"LLM_USER_PATH": folder, "PYTHONPATH": str(ROOT)}
                took.append(seconds(how, environment, Path(folder) / "consortium.db"))
        print(f"{how}: {statistics.median(took):.2f} s (worst {max(took):.2f} s)")


if __name__ == "__main__":
    main()
