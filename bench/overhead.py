"""What the engine, the service and the journal add to the models' own time.

    python -m bench.overhead

Two panels of fake models that only wait, with everything recorded: 8 members of 0.5 s, an arbiter
of 0.2 s, three iterations (ideal 2.10 s); 40 members of 0.5 s and one verdict (ideal 0.70 s). The
bare loop waits for the same fakes and does nothing else. Then the CPU time for each member of
panels of three sizes, which must not grow with the panel.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.settings import Settings
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from consortium_mcp.services.service import Service

ROUNDS = 5
GOES_ON = verdict(support="A", groups="", ranking="", needs_iteration="true")


class Waiting:
    """`Ask` that only takes its time."""

    async def __call__(self, question: Question, /) -> Reply:
        """Half a second for a member, 0.2 s for the arbiter."""
        seconds = 0.5 if question.role == "member" else 0.2
        await anyio.sleep(seconds)
        text = reply("42", 0.9) if question.role == "member" else GOES_ON
        return Reply(text=text, seconds=seconds, input_tokens=10, output_tokens=5)


async def consult(service: Service, members: int, iterations: int) -> float:
    """Seconds from the call to the report."""
    wanted = ConsortiumSettings(
        models=[f"m:{min(members, 20)}"] * (members // min(members, 20)),
        arbiter="judge",
        strategy="synthesis",
        min_iterations=iterations,
        max_iterations=iterations,
    )
    started = time.perf_counter()
    run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
    report = await service.wait(run_id, 60)
    took = time.perf_counter() - started
    assert report.status == "completed", report.error
    assert report.usage.calls == (members + 1) * iterations
    return took


async def bare_loop(members: int, iterations: int) -> float:
    """Seconds that the same calls take with nothing around them."""
    ask = Waiting()
    member = Question(role="member", label="A", model="m", prompt="?", iteration=1, timeout=60)
    judge = member.model_copy(update={"role": "arbiter"})
    started = time.perf_counter()
    for _ in range(iterations):
        async with anyio.create_task_group() as group:
            for _ in range(members):
                group.start_soon(ask, member)
        await ask(judge)
    return time.perf_counter() - started


async def cpu_of_a_member(service: Service, members: int) -> float:
    """CPU seconds of one iteration, in this process, for each member."""
    started = time.process_time()
    await consult(service, members, 1)
    return (time.process_time() - started) / members


async def main() -> None:
    """Measure both panels and print the medians."""
    print(f"{platform.platform()}, Python {platform.python_version()}, median of {ROUNDS}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=Path(folder) / "consortium.db", user_dir=Path(folder))
        with plugin("bench", models(FakeAsync("m", "x"), FakeAsync("judge", "x"))):
            async with open_service(settings, ask=Waiting()) as service:
                await consult(service, 2, 1)  # imports and the new file are not what is measured
                for members, iterations, ideal in ((8, 3, 2.1), (40, 1, 0.7)):
                    took = [await consult(service, members, iterations) for _ in range(ROUNDS)]
                    median = statistics.median(took)
                    bare = [await bare_loop(members, iterations) for _ in range(ROUNDS)]
                    print(
                        f"{members} members × {iterations} iterations: {median:.3f} s, "
                        f"{median / ideal:.3f} of the ideal {ideal:.2f} s "
                        f"(worst {max(took) / ideal:.3f}), bare loop "
                        f"{statistics.median(bare) / ideal:.3f}"
                    )
                for members in (8, 40, 160):
                    spent = [await cpu_of_a_member(service, members) for _ in range(ROUNDS)]
                    median = statistics.median(spent)
                    print(f"{members} members: {1000 * median:.2f} ms CPU for each")


if __name__ == "__main__":
    anyio.run(main)
