"""Replies from public reports, as the README of `../shared/cases` tells them, put to the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consortium_mcp.core.confidence.agreement import group_by_answer
from tests.support.fakes import FakeAsk, consulted, run_of

CASES = Path(__file__).parents[3] / "shared/cases/reading.jsonl"
CLOSED, OPEN = "What is it?", "Which data store, and why? Discuss."


def cases(*kinds: str) -> list[dict[str, Any]]:
    """The cases of these kinds; none where the recordings are not beside the project."""
    if not CASES.exists():
        return []
    read = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [case for case in read if case["kind"] in kinds]


def _reply(answer: str) -> str:
    return f"It is so.\n<final_answer>{answer}</final_answer>\n<confidence>0.9</confidence>"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "case", cases("same", "apart"), ids=lambda case: f"{case['a']}|{case['b']}"
)
async def test_answers_are_counted_as_the_same_or_apart(case: dict[str, Any]) -> None:
    ask = FakeAsk(a=_reply(case["a"]), b=_reply(case["b"]))
    settings = {"prompt": case.get("prompt", CLOSED), "strategy": "vote"}
    run = await consulted(run_of("a", "b", **settings), ask)
    assert run.best is not None
    assert run.best.verdict.parts.agreement == (1.0 if case["kind"] == "same" else 0.5)
    groups = group_by_answer(run, run.best.responses)
    assert len(groups) == (1 if case["kind"] == "same" else 2)


@pytest.mark.anyio
@pytest.mark.parametrize("case", cases("final"), ids=lambda case: case["reply"][:40])
async def test_final_answers_are_read(case: dict[str, Any]) -> None:
    prompt = case.get("prompt", CLOSED)
    run = await consulted(run_of("a", prompt=prompt, strategy="vote"), FakeAsk(a=case["reply"]))
    assert run.best is not None
    assert run.best.responses[0].final_answer == case["final"]


@pytest.mark.anyio
@pytest.mark.parametrize("strategy", ["vote", "auto", "rank", "synthesis", "tally"])
@pytest.mark.parametrize("case", cases("kept"), ids=lambda case: case["reply"][:40])
async def test_a_members_words_stand_whole_in_the_synthesis(
    case: dict[str, Any], strategy: str
) -> None:
    ask = FakeAsk(a=case["reply"], judge="no verdict")
    run = await consulted(run_of("a", prompt=OPEN, strategy=strategy), ask)
    assert run.best is not None
    assert all(text in run.best.verdict.synthesis for text in case["keep"])
    assert not any(text in run.best.verdict.synthesis for text in case["gone"])


@pytest.mark.anyio
@pytest.mark.parametrize("case", cases("verdict"), ids=lambda case: case["reply"][:60])
async def test_a_verdict_is_read_at_the_first_try(case: dict[str, Any]) -> None:
    ask = FakeAsk(a="One.", b="Two.", c="Three.", judge=case["reply"])
    run = await consulted(run_of("a", "b", "c", prompt=OPEN, max_iterations=1), ask)
    assert run.best is not None
    assert case["synthesis"] in run.best.verdict.synthesis
    assert len(run.best.verdict.supporters) == case["support"]
    assert run.best.verdict.parts.arbiter_confidence == case["confidence"]
    assert len(ask.asked("judge")) == 1


def test_a_clone_without_the_recordings_says_what_it_skips() -> None:
    if not CASES.exists():
        pytest.skip(f"the cases of {CASES} are not beside this clone")
    assert cases("same")
