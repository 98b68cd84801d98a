"""Many parallel calls through llm's own OpenAI classes, ours beside the stock settings.

    python -m bench.calls [calls]

The provider is a child process on loopback that answers after one second. Each way runs in a fresh
process of its own: CPU a call, wall time, the longest stall of the event loop, and memory.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio

from bench.at_once import at_once

CALLS = 500
MODEL = "delay-1.0"


async def measure(calls: int, *, stock: bool) -> None:
    """Make the calls at once and print the figures."""
    import llm  # noqa: PLC0415 (what each way imports first is part of what is compared)

    from consortium_mcp.adapters.calls.model_caller import ModelCaller  # noqa: PLC0415
    from consortium_mcp.adapters.models.registry import Registry  # noqa: PLC0415
    from consortium_mcp.adapters.settings import Limits  # noqa: PLC0415
    from consortium_mcp.core.domain.ask import Question  # noqa: PLC0415

    ours = ModelCaller(Registry(), Limits())
    question = Question(
        role="member", label="A", model=MODEL, prompt="How many?", iteration=1, timeout=120
    )
    model = llm.get_async_model(MODEL)

    async def one() -> None:
        text = await model.prompt("How many?") if stock else await ours(question)
        assert text

    await (model.prompt("warm up") if stock else ours(question))
    memory = _peak_mb()
    took = await at_once(one, calls)
    print(
        f"{'stock' if stock else 'ours ':5}  {1000 * took.cpu / calls:6.2f} ms CPU a call  "
        f"{took.wall:6.2f} s wall  {took.stall:6.2f} s longest stall  "
        f"+{_peak_mb() - memory:4.0f} MB",
        flush=True,
    )


def _peak_mb() -> float:
    import resource  # noqa: PLC0415 (POSIX; a benchmark, not the product)

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main(calls: int) -> None:
    """Start the provider, then one child for each way."""
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {calls} calls of 1 s at once"
    )
    root = Path(__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": str(root), "LLM_LOAD_PLUGINS": ""}
    with tempfile.TemporaryDirectory() as folder:
        environment["LLM_USER_PATH"] = folder
        with subprocess.Popen(
            [sys.executable, "-m", "tests.support.loopback"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as provider:
            assert provider.stdout is not None
            port = provider.stdout.readline().strip()
            Path(folder, "extra-openai-models.yaml").write_text(
                f"- model_id: {MODEL}\n  model_name: {MODEL}\n"
                f'  api_base: "http://127.0.0.1:{port}/v1"\n',
                encoding="utf-8",
            )
            for way in ("ours", "stock"):
                command = [sys.executable, __file__, str(calls), way]
                subprocess.run(command, env=environment, check=True, timeout=300)  # noqa: S603
            provider.communicate()


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    if len(sys.argv) > 2:
        anyio.run(lambda: measure(count, stock=sys.argv[2] == "stock"))
    else:
        main(count)
