"""LangChain's adapters, in their default way. Run by `.ci/clients`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.test_process_per_call import tries
from tests.conftest import ROOT

PYTHON = os.environ.get("CONSORTIUM_CLIENTS_PYTHON", "")
"""The interpreter of an environment that has the client."""
pytestmark = pytest.mark.skipif(not PYTHON, reason="see .ci/clients")


def test_a_run_three_times_as_long_as_the_wait_ends(child_environment: dict[str, str]) -> None:
    client = Path(__file__).with_name("langchain_client.py")
    done = subprocess.run(
        [PYTHON, client, sys.executable, "-m", "tests.support.fake_server"],
        env=child_environment | {"CONSORTIUM_WAIT_SECONDS": "2"},
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=300,
    )
    report = json.loads(done.stdout)
    assert (report["status"], report["final_answer"]) == ("completed", "42")
    assert max(tries(child_environment["LLM_USER_PATH"]).values()) <= 2
