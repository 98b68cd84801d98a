"""Our plugin must cost other `llm` commands next to nothing."""

from __future__ import annotations

import sys

import pytest

from consortium_mcp import create_consortium
from tests.support.fake_models import FakeAsync, models, plugin

MOST = 0.2
"""Of what the command takes without us; the figure is in `bench.plugin`."""


@pytest.mark.skipif(
    sys.platform == "win32", reason="the CPU time of a child is asked the POSIX way"
)
@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("arguments", [("--help",), ("models",)])
def test_other_llm_commands_cost_no_more_cpu_to_speak_of(arguments: tuple[str, ...]) -> None:
    from bench.plugin import extra_milliseconds  # noqa: PLC0415 (its imports are POSIX only)

    with plugin("fake", models(FakeAsync("a", "x"), FakeAsync("b", "x"))):
        create_consortium(["a", "b"]).save("mine")
    without, extra = extra_milliseconds(arguments, rounds=7)
    assert extra <= MOST * without
