"""The examples, run as their readers would."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.local_model
def test_the_consult_example_prints_a_report(
    child_environment: dict[str, str], local_models: Path, tmp_path: Path
) -> None:
    models = tmp_path / "llm" / "consortium" / "models"
    models.parent.mkdir(parents=True)
    models.symlink_to(local_models, target_is_directory=True)
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/consult.py"), "What is the capital of Japan?"],
        env=child_environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Tokyo" in done.stdout
    assert "Demo tier" in done.stdout
