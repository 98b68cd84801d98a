"""What a newcomer sees: the demo on the real local model, through the real server."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def consortium_mcp(
    *arguments: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "consortium_mcp", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.local_model
def test_the_demo_runs_a_whole_consultation_on_real_models(
    environment_with_models: dict[str, str], tmp_path: Path
) -> None:
    done = consortium_mcp(
        "demo", "What is the capital of Japan?", environment=environment_with_models
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "The capital of Japan is Tokyo.",
        "smollm2-chat",
        "smollm2-few-shot",
        "iteration 1 of 3: 2 of 2 members answered",
        "Demo tier",
        "Answer      Tokyo",
        "completed",
        "What is the capital of Japan? → Tokyo",
    ):
        assert " ".join(line.split()) in " ".join(done.stdout.split())
    with sqlite3.connect(tmp_path / "llm" / "consortium.db") as connection:
        runs = connection.execute("SELECT status, final_answer FROM runs").fetchall()
        replies = connection.execute("SELECT label, reply FROM exchanges").fetchall()
    connection.close()
    assert runs == [("completed", "Tokyo")]
    assert len(replies) == 2
    assert all("Tokyo" in reply for _, reply in replies)
    doctor = consortium_mcp("doctor", environment=environment_with_models)
    assert doctor.returncode == 0
    assert "smollm2-chat, smollm2-few-shot" in doctor.stdout
    assert "saved consortiums: consortium-mcp-demo" in doctor.stdout


@pytest.mark.local_model
def test_setup_local_is_quick_when_all_is_there(
    environment_with_models: dict[str, str],
) -> None:
    offline = environment_with_models | {"PIP_INDEX_URL": "http://127.0.0.1:9/none"}
    done = consortium_mcp("setup-local", environment=offline)
    assert done.returncode == 0, done.stderr
    assert "ready in" in done.stdout
    done = consortium_mcp("setup-local", "--json", environment=offline)
    told = json.loads(done.stdout)
    assert told["models"] == ["smollm2-chat", "smollm2-few-shot"]
    assert (told["bytes"], told["fetched"]) == (Path(told["file"]).stat().st_size, False)


def test_weights_that_cannot_be_fetched_are_said_without_a_traceback(
    child_environment: dict[str, str],
) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/none", "PIP_CONFIG_FILE": os.devnull}
    nowhere |= {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}
    done = consortium_mcp("setup-local", environment=child_environment | nowhere)
    assert done.returncode == 1
    assert "Error: No package index" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.local_model
def test_a_demo_that_the_server_refuses_says_why_without_a_traceback(
    environment_with_models: dict[str, str], tmp_path: Path
) -> None:
    broken = environment_with_models | {"CONSORTIUM_DB": str(tmp_path)}
    done = consortium_mcp("demo", environment=broken)
    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert "CONSORTIUM_DB" in done.stderr
    assert "Traceback" not in done.stderr
