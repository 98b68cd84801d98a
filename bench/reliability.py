"""What the user gets, and after how long, for every fault: writes docs/reliability.md.

    python -m bench.reliability

Real service, real journal, llm's own OpenAI classes, and a provider on loopback that misbehaves
(`tests/support/loopback.py`). `tests/test_reliability.py` holds the outcomes of the table true.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.loopback import provider, register

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

DOC = Path(__file__).parent.parent / "docs" / "reliability.md"


@dataclass(frozen=True)
class Scenario:
    """One fault, and the panel that meets it."""

    fault: str
    models: tuple[str, ...] = ("ok", "agrees", "third")
    arbiter: str = "judge"
    quorum: float | None = None
    grace: float = 2.0


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    says: str
    seconds: float


PANEL = ("ok", "agrees")
SCENARIOS = (
    Scenario("none"),
    Scenario("a member hangs", (*PANEL, "hang")),
    Scenario("a member sends a byte now and then (slow loris)", (*PANEL, "slow-loris")),
    Scenario("a member answers HTTP 500", (*PANEL, "http-500")),
    Scenario("a member is rate-limited (429) once", (*PANEL, "http-429-once")),
    Scenario("a member is rate-limited (429) for ever", (*PANEL, "http-429")),
    Scenario("a member's key is refused (401)", (*PANEL, "http-401")),
    Scenario("a member sends HTML with status 200", (*PANEL, "html")),
    Scenario("a member's reply is empty", (*PANEL, "empty")),
    Scenario("a member's reply has no usage", (*PANEL, "no-usage")),
    Scenario("a member's reply is cut at its length", (*PANEL, "truncated")),
    Scenario("a member's connection breaks mid-answer", (*PANEL, "disconnect")),
    Scenario("the arbiter's verdict is garbage", arbiter="judge-garbage"),
    Scenario("the arbiter is down (500)", arbiter="http-500"),
    Scenario("the arbiter hangs", arbiter="hang"),
    Scenario("all members are down", ("http-500", "http-401", "disconnect")),
    Scenario("one model is unknown", (*PANEL, "no-such-model")),
    Scenario(
        "one of four members of 0.5 s hangs, quorum 0.75, grace 2 s",
        ("delay-0.5:3", "hang"),
        quorum=0.75,
    ),
)
TIMEOUT = 5.0
"""Seconds for each member and arbiter; the product's default is 120."""


async def outcome(service: Service, scenario: Scenario, timeout: float = TIMEOUT) -> Outcome:  # noqa: ASYNC109 (a setting of the run)
    """Consult under the fault, with so many seconds for a member and for the arbiter."""
    settings = ConsortiumSettings(
        models=scenario.models,
        arbiter=scenario.arbiter,
        strategy="synthesis",
        member_timeout=timeout,
        arbiter_timeout=timeout,
        max_iterations=1,
        quorum=scenario.quorum,
        straggler_grace=scenario.grace,
    )
    started = time.perf_counter()
    try:
        run_id = await service.consult(ConsultRequest("Six × 7?", None, settings))
        says = _says(await service.wait(run_id, 4 * timeout + 40))
    except ConsortiumError as error:
        says = f"refused before any call: {str(error).partition('.')[0]}"
    return Outcome(says, time.perf_counter() - started)


def _says(report: RunReport) -> str:
    answer = "no answer" if report.synthesis is None else _answer(report)
    silent = [f"{m.model} {m.status} ({_kind(m.error)})" for m in report.members if m.error]
    more = [w for w in ("cut short", "lacked a part", "answered at try 2") if _warned(report, w)]
    parts = [f"`{report.status}`, {report.answered} of {report.asked} answered, {answer}"]
    return "; ".join([*parts, *silent, *(f"warning: {w}" for w in more)])


def _answer(report: RunReport) -> str:
    who = "the best-supported member's" if _warned(report, "word for word") else "the arbiter's"
    return f"{who} answer, confidence {report.confidence:.2f}"


def _warned(report: RunReport, words: str) -> bool:
    return any(words in warning for warning in report.warnings)


def _kind(error: str | None) -> str:
    """The beginning of an error: what it is, without what varies."""
    what, _, why = (error or "").partition(":")
    return why.strip() if what == "cut off" else what.partition(" (")[0]


async def main() -> None:
    """Run all scenarios and write the page."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, provider() as served:
        os.environ["LLM_USER_PATH"] = folder
        register(Path(folder), served.port)
        async with open_service(from_environment()) as service:
            await outcome(service, Scenario("imports are not what is measured"))
            for scenario in SCENARIOS:
                found = await outcome(service, scenario)
                rows.append(f"| {scenario.fault} | {found.says} | {found.seconds:.1f} s |")
                print(rows[-1])
    DOC.write_text(PAGE.format(rows="\n".join(rows), machine=_machine()), encoding="utf-8")


def _machine() -> str:
    return f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores"


PAGE = """\
# What happens when models fail

Made by `python -m bench.reliability` ({machine}); `tests/test_reliability.py` checks the \
outcomes. Unless the fault is theirs, three members answer at once; there is one arbiter and one \
iteration. Member and arbiter timeouts are 5 s here instead of the default 120 s, so that the \
table can be made in a minute. A hang costs its timeout, or less with a quorum.

| fault | what the user gets | after |
|---|---|---|
{rows}

Faults that may pass (408, 409, 425, 429, 5xx, lost connections, streams that break off) are tried \
up to three times with random pauses. The pauses keep to `retry-after`, and all tries share the \
call's one timeout. Faults that cannot pass (a refused key, an unknown model, a bad request, a \
refusal) are not tried again, and such a member is not asked in later iterations. The SDKs' own \
retries are switched off, so that the budget sees every call.
"""

if __name__ == "__main__":
    anyio.run(main)
