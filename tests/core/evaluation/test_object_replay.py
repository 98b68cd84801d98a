from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation.object_replay import replay_objects
from consortium_mcp.core.evaluation.objects import ObjectRecording, scores
from consortium_mcp.frontends.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}, "t": {"type": "string"}}}
LINES = [
    {"id": 1, "schema": SCHEMA, "gold": {"n": 1, "t": "the red house"},
     "answers": {"a": {"n": 1, "t": "Red house."}, "b": {"n": 1, "t": "x"},
                 "c": {"n": 2, "t": "red house"}}},
    {"id": 2, "schema": SCHEMA, "gold": {"n": 5, "t": "y"},
     "answers": {"a": '{"n": 5, "t": "y"', "b": None, "c": {"n": 4, "t": "z"}}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "gold", "em", "f1"),
    [
        ({"a": 1.0}, {"a": 1}, 1, 1),
        ({"a": "The  Red, house"}, {"a": "red house"}, 1, 1),
        ({"a": "red barn"}, {"a": "red house"}, 0, 0.5),
        ({"a": "blue"}, {"a": "red"}, 0, 0),
        ({"a": [1, 2]}, {"a": [1, 3, 2]}, 1 / 3, 1 / 3),
        (None, {"a": 1}, 0, 0),
        ({"a": None}, {"a": None}, 1, 1),
        ({"a": True}, {"a": 1}, 0, 0),
        ({}, {}, 1, 1),
    ],
)
def test_the_score_of_an_object(answer: object, gold: object, em: float, f1: float) -> None:
    found = scores(answer, gold)
    assert (found.em, found.f1) == pytest.approx((em, f1))


def recordings() -> list[ObjectRecording]:
    return [ObjectRecording.model_validate(line) for line in LINES]


def test_a_panel_and_its_members_are_measured() -> None:
    summary, outcomes = replay_objects(recordings(), {"a": 1.0, "b": 1.0, "c": 1.0})
    assert outcomes[0].scores.em == 1
    assert summary.measured.em == pytest.approx((1 + outcomes[1].scores.em) / 2)
    assert summary.singles["a"].em == 1  # a reply that was cut off is read
    assert summary.singles["b"].em == pytest.approx(0.25)
    assert summary.best_single == "a"
    assert summary.measured.valid == 1
    assert outcomes[0].contested
    assert replay_objects(recordings()[1:], {"b": 1.0})[0].measured.valid == 0


def test_a_model_of_which_nothing_is_recorded_is_named() -> None:
    with pytest.raises(ConfigError, match="Nothing is recorded of z"):
        replay_objects(recordings(), {"z": 1.0})


def run(tmp_path: Path, *options: str, lines: list[Any] = LINES) -> tuple[int, str, Path]:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    data.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", str(data), "--save", str(out), *options])
    return result.exit_code, result.output, out


def test_the_command_replays_a_file_of_objects(tmp_path: Path) -> None:
    code, output, out = run(tmp_path, "--panel", "a,b,c", "--metric", "f1", "--tier", "a=strong")
    assert code == 0, output
    assert "2 objects; a, b, c" in output
    assert "agreed field by field" in output
    assert "95 % of F1" in output
    saved = json.loads((out / "replay.json").read_text())
    assert saved["metric"] == "f1"
    assert saved["questions"] == 2
    assert (out / "reliability.svg").exists()


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    assert "nothing to replay" in run(tmp_path, "--panel", "a", "--where", "id=x")[1]
    bad = [LINES[0], {"id": 2, "schema": SCHEMA, "gold": {}}]
    code, output, _ = run(tmp_path, "--panel", "a", lines=bad)
    assert code != 0
    assert "line 2: answers" in output
