"""A plugin that blocks its loop for 8 s, beside two healthy ones: `python -m bench.blocking`.

One consultation through the real stdio server. How long the healthy members took, and how long
`list_runs` takes meanwhile, asked every 50 ms.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time

from tests.conftest import ROOT
from tests.support.wire import Wire


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ) | {"LLM_USER_PATH": folder, "PYTHONPATH": str(ROOT)}
        with Wire(environment) as wire:
            wire.initialize()
            wire.tool("list_models", {})
            asked = {"prompt": "?", "models": ["sure", "agrees", "blocking"], "wait_seconds": 0}
            begun = wire.tool("consult_consortium", asked | {"arbiter": "judge"})
            run_id = begun["structuredContent"]["run_id"]
            took = []
            while True:
                started = time.perf_counter()
                runs = wire.tool("list_runs", {})["structuredContent"]["runs"]
                took.append(time.perf_counter() - started)
                if runs[0]["status"] != "working":
                    break
                time.sleep(0.05)
            report = wire.tool("get_run", {"run_id": run_id})["structuredContent"]
    print(f"{platform.platform()}, Python {platform.python_version()}")
    for member in report["members"]:
        print(f"{member['model']}: {member['status']} after {member['seconds']:.2f} s")
    print(
        f"list_runs, {len(took)} times: median {1000 * statistics.median(took):.1f} ms, "
        f"longest {1000 * max(took):.1f} ms; the run {report['status']}"
    )


if __name__ == "__main__":
    main()
