"""The examples, run as their readers would."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.local_model
def test_the_consult_example_prints_a_report(
    environment_with_models: dict[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/consult.py"), "What is the capital of Japan?"],
        env=environment_with_models,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Tokyo" in done.stdout
    assert "Demo tier" in done.stdout
