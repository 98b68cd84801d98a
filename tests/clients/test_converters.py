"""The strict converters of four libraries. Run by `.ci/clients`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PYTHON = os.environ.get("CONSORTIUM_CONVERTERS_PYTHON", "")
"""The interpreter of an environment that has them."""
pytestmark = pytest.mark.skipif(not PYTHON, reason="see .ci/clients")


def test_all_tools_convert_and_a_filled_in_call_of_each_works(
    child_environment: dict[str, str],
) -> None:
    client = Path(__file__).with_name("converters_client.py")
    done = subprocess.run(
        [PYTHON, client, sys.executable, "-m", "tests.support.fake_server"],
        env=child_environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "10 tools" in done.stderr
