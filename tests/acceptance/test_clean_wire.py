"""Nothing but JSON-RPC reaches stdout, whatever a plugin writes there and whenever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.reports.report import RunReport
from tests.support.wire import REAL_SERVER, Wire

if TYPE_CHECKING:
    from pathlib import Path

NOISY_PLUGIN = """
import asyncio, atexit, ctypes, os, subprocess, sys, threading, time

import llm

print("NOISE at import")
print("NOISE unflushed at import", end="")
os.write(1, b"NOISE natively at import\\n")
print("NOISE through the original stdout", file=sys.__stdout__)
atexit.register(print, "NOISE at exit")


def from_a_thread():
    while True:
        print("NOISE from a thread")
        time.sleep(0.05)


threading.Thread(target=from_a_thread, daemon=True).start()


def printf():
    libc = ctypes.CDLL(None if os.name != "nt" else "msvcrt")
    libc.printf(b"NOISE from C\\n")
    libc.fflush(None)


def reads_stdin():
    try:
        return input("NOISE prompt? ")
    except EOFError:
        return "nothing to read"


NOISES = {
    "prints": lambda: print("NOISE in a call"),
    "prints unflushed": lambda: print("NOISE unflushed", end=""),
    "writes natively": lambda: os.write(1, b"NOISE natively\\n"),
    "printfs": printf,
    "starts a child": lambda: subprocess.run([sys.executable, "-c", "print('NOISE of a child')"]),
    "stops at a breakpoint": breakpoint,
    "reads stdin": reads_stdin,
    "prints what the console cannot": lambda: print("NOISE \\u2713 \\ud83d"),
}


class Noisy(llm.AsyncModel):
    def __init__(self, name):
        self.model_id = name

    async def execute(self, prompt, stream, response, conversation):
        NOISES[self.model_id]()
        yield "<final_answer>42</final_answer><confidence>0.9</confidence>"


class NoisySync(llm.Model):
    can_stream = True

    def __init__(self, name):
        self.model_id = name

    def execute(self, prompt, stream, response, conversation):
        NOISES[self.model_id.removeprefix("sync ")]()
        yield "<final_answer>42</final_answer><confidence>0.9</confidence>"


class Arbiter(llm.Model):
    model_id = "judge"

    def execute(self, prompt, stream, response, conversation):
        yield "<verdict><synthesis>It is 42.</synthesis><support>A</support></verdict>"


@llm.hookimpl
def register_models(register):
    print("NOISE at registration")
    register(Arbiter())
    for name in NOISES:
        register(NoisySync(name), Noisy(name))
        register(NoisySync(f"sync {name}"))
"""


@pytest.fixture
def with_noisy_plugin(child_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which llm finds a plugin that writes to stdout whenever it can."""
    site = tmp_path / "site"
    about = site / "llm_noisy-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "llm_noisy.py").write_text(NOISY_PLUGIN, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-noisy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[llm]\nnoisy = llm_noisy\n")
    paths = f"{site}{':' if ':' not in str(site) else ';'}{child_environment['PYTHONPATH']}"
    return child_environment | {"PYTHONPATH": paths, "LLM_LOAD_PLUGINS": "llm-noisy"}


def test_no_foreign_byte_reaches_the_wire(with_noisy_plugin: dict[str, str]) -> None:
    noisy = [
        "prints", "prints unflushed", "writes natively", "printfs", "starts a child",
        "stops at a breakpoint", "reads stdin", "prints what the console cannot",
    ]  # fmt: skip
    with Wire(with_noisy_plugin, REAL_SERVER) as wire:
        wire.initialize()
        for name in noisy:
            panel = {"models": [name, f"sync {name}"], "arbiter": "judge"}
            asked = {"prompt": "?", "strategy": "synthesis", "max_iterations": 1} | panel
            result = wire.tool("consult_consortium", asked)  # reads, and checks, every line
            report = RunReport.model_validate(result["structuredContent"])
            assert [m.error for m in report.members] == [None, None], name
            assert report.synthesis == "It is 42."
        wire.stdin.close()
        wire.process.wait(10)
        assert all(json.loads(line)["jsonrpc"] for line in wire.stdout)
        assert wire.process.returncode == 0
        errors = wire.errors()
    for noise in (
        "at import", "unflushed at import", "natively at import", "at registration", "in a call",
        "unflushed", "natively", "from C", "of a child", "from a thread", "prompt?",
    ):  # fmt: skip
        assert f"NOISE {noise}" in errors


@pytest.mark.parametrize(("level", "told"), [("DEBUG", True), ("ERROR", False)])
def test_logs_go_to_stderr_by_their_level(
    child_environment: dict[str, str], level: str, *, told: bool
) -> None:
    with Wire(child_environment | {"CONSORTIUM_LOG": level}) as wire:
        wire.initialize()
        result = wire.tool("list_models", {})
        assert not result.get("isError")
        assert ("DEBUG" in wire.errors()) is told
