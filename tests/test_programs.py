"""A fork stands for a program in all that its caller can see."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING, cast

import pytest

from tests.support.programs import program

if TYPE_CHECKING:
    from pathlib import Path

TOOL = "json.tool"
"""Of Python's own: it reads its standard input to the end and prints it, if it is JSON."""
SIGNALS = [signal.SIGTERM, signal.SIGINT] if sys.platform != "win32" else []


def test_its_streams_and_arguments_are_the_callers(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        program(TOOL, "--compact", "-", "out.json"),
        env=environment,
        cwd=tmp_path,
        input='{"animal": "quagga 🦓"}',
        text=True,
        encoding="utf-8",
        check=True,
        capture_output=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "out.json").read_text() == '{"animal":"quagga \\ud83e\\udd93"}\n'


@pytest.mark.parametrize(("given", "code"), [("[]", 0), ("[", 1), ("", 1)])
def test_its_end_is_the_programs(environment: dict[str, str], given: str, code: int) -> None:
    done = subprocess.run(
        program(TOOL), env=environment, input=given, text=True, check=False, capture_output=True
    )
    assert (done.returncode, bool(done.stderr)) == (code, bool(code))


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_reaches_it(environment: dict[str, str], number: int) -> None:
    with subprocess.Popen(program(TOOL), env=environment, stdin=subprocess.PIPE) as process:
        process.send_signal(number)
        assert process.wait(60) != 0


def test_who_kills_the_one_kills_the_other(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        program(TOOL), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.kill()
        # Its standard input stays open here, so it would read on; then this never ended.
        assert cast("IO[bytes]", process.stdout).read() == b""
