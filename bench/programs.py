r"""The agent programs as members: what is left of them, and their time beside the bare program's.

    npm install --prefix /tmp/agents @anthropic-ai/claude-code@2.1.197 @openai/codex@0.171.0 \
        @google/gemini-cli@0.61.0
    LLM_LOAD_PLUGINS="" PATH=/tmp/agents/node_modules/.bin:$PATH python -m bench.programs

Consultations of the three, five in a row and eight at once, against a fake of their APIs on
loopback. Memory, processes and descriptors of this process before and after; the bare program is
the same command without us.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.agents.asking import folders
from consortium_mcp.adapters.agents.environment import environment_for
from consortium_mcp.adapters.agents.finding import find
from consortium_mcp.adapters.agents.models import AgentModel, AsyncAgentModel
from consortium_mcp.adapters.agents.programs import Call, Program
from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.programs import kit
from tests.support.fake_models import plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.services.service import Service

QUESTION = "What is it? case:ok"
ROW, AT_ONCE = 5, 8


def state() -> str:
    """Memory in MB, descriptors, and the processes that run for our calls."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    megabytes = int(memory.split()[1]) / 1024
    return f"{megabytes:.0f} MB, {descriptors} descriptors, {len(kit.processes())} processes"


def bare(program: Program, model: str | None) -> float:
    """Seconds of the program alone, the median of five."""
    took = []
    for _ in range(ROW):
        with tempfile.TemporaryDirectory() as made:
            folder, empty = folders(made)
            call = Call(QUESTION, folder, model=model)
            started = time.perf_counter()
            subprocess.run(  # noqa: S603 (the program that is measured)
                [str(find(program.name, Path.home())), *program.command(call)],
                input=QUESTION.encode(),
                env=environment_for(program, folder) | program.environment(call, Path.home()),
                cwd=empty,
                capture_output=True,
                check=True,
            )
            took.append(time.perf_counter() - started)
    return statistics.median(took)


async def consult(service: Service, models: list[str]) -> dict[str, float]:
    """One consultation of all three; the seconds of each member."""
    request = ConsultRequest(
        prompt=QUESTION,
        settings=ConsortiumSettings(models=models, strategy="vote", max_iterations=1),
    )
    report = await service.wait(await service.consult(request), 600)
    failed = [
        (member.model, member.error) for member in report.members if member.status != "answered"
    ]
    if failed:
        raise SystemExit(f"not all members answered: {failed}")
    return {member.model: member.seconds or 0.0 for member in report.members}


async def measure(port: int) -> None:
    """Print the figures."""
    asked = {"claude": None, "codex": "gpt-5.5", "gemini": "flash"}
    programs = {each.name: each for each in kit.programs(port)}

    def register(add: Callable[..., None]) -> None:
        for name, program in programs.items():
            add(AgentModel(program, asked[name]), AsyncAgentModel(program, asked[name]))

    models = [
        f"agent/{name}/{model}" if model else f"agent/{name}" for name, model in asked.items()
    ]
    alone = {
        model: bare(program, asked[program.name])
        for model, program in zip(models, programs.values(), strict=True)
    }
    with plugin("programs", register):
        async with open_service(from_environment()) as service:
            await consult(service, models)  # what is loaded at the first call stays
            print(f"before: {state()}")
            took = [await consult(service, models) for _ in range(ROW)]
            print(f"after {ROW} in a row: {state()}")
            started = time.perf_counter()
            async with anyio.create_task_group() as group:
                for _ in range(AT_ONCE):
                    group.start_soon(consult, service, models)
            print(f"after {AT_ONCE} at once ({time.perf_counter() - started:.1f} s): {state()}")
    for model in models:
        ours = statistics.median(each[model] for each in took)
        print(f"{model}: {ours:.2f} s beside the two others, the bare program {alone[model]:.2f} s")


def main() -> None:
    """Run it with an API and a home of its own."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with kit.api() as port, tempfile.TemporaryDirectory() as folder:
        os.environ.update(kit.trapped_home(Path(folder), port))
        os.environ["LLM_USER_PATH"] = f"{folder}/llm"
        anyio.run(measure, port)


if __name__ == "__main__":
    main()
