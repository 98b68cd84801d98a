"""The examples, run as their readers would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


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


REVIEW = {"verdict": "change", "findings": []}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize(("asked", "code"), [(("sure", "sure too"), 0), (("sure", "unsure"), 3)])
def test_the_review_gate_lets_a_sure_verdict_pass(
    child_environment: dict[str, str], tmp_path: Path, asked: tuple[str, str], code: int
) -> None:
    fakes = tmp_path / "bin"
    fakes.mkdir()
    program = fakes / "llm"
    program.write_text(
        f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support import fake_server
from tests.support.fake_models import FakeAsync
merge, change = ('{{"verdict": "%s", "findings": []}}' % each for each in ("merge", "change"))
fake_server.FAKES = (
    FakeAsync("sure", change), FakeAsync("sure too", change), FakeAsync("unsure", merge),
)
import runpy
runpy.run_module("tests.support.fake_llm", run_name="__main__")
""",
        encoding="utf-8",
    )
    program.chmod(0o755)
    environment = child_environment | {"PATH": f"{fakes}{os.pathsep}{os.environ['PATH']}"}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    run("git", "init", "-q", "-b", "main")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    run("git", *who, "commit", "-q", "--allow-empty", "-m", "Begin")
    run("git", "checkout", "-q", "-b", "topic")
    (tmp_path / "new.py").write_text("print(1 / 0)\n", encoding="utf-8")
    run("git", "add", "new.py")
    run("git", *who, "commit", "-q", "-m", "Add")
    members = [part for each in asked for part in ("-m", each)]
    saved = run("llm", "consortium", "save", "reviewers", *members, "--strategy", "vote")
    assert saved.returncode == 0, saved.stderr
    done = run("sh", str(ROOT / "examples/review_gate/review.sh"))
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout) == REVIEW
