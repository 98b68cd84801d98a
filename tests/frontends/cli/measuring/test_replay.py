from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from consortium_mcp.frontends.cli.main import main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples/replay.jsonl"
PANEL = ("--panel", "model-1,model-2,model-3")


def replay(data: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["replay", str(data), *options])


def test_the_example_is_replayed_printed_and_saved(tmp_path: Path) -> None:
    result = replay(EXAMPLE, *PANEL, "--save", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "8 questions; model-1, model-2, model-3" in result.output
    assert "gain over the best single member" in result.output
    saved = json.loads((tmp_path / "out/replay.json").read_text())
    assert saved["questions"] == 8
    assert saved["measured"]["accuracy"] == 7 / 8
    assert saved["singles"]["model-1"]["accuracy"] == 7 / 8
    assert saved["oracle"] == 1
    for plot, words in (("reliability", "confidence"), ("accuracy", "equal vote")):
        drawn = ET.parse(tmp_path / f"out/{plot}.svg").getroot()  # noqa: S314 (our own)
        assert drawn.tag.endswith("svg")
        texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
        assert words in texts
    dots = [element for element in drawn.iter() if element.tag.endswith("circle")]
    assert len(dots) == 5  # three members, their vote, and the strategy


def test_the_figures_also_come_as_json(tmp_path: Path) -> None:
    result = replay(EXAMPLE, *PANEL, "--save", str(tmp_path / "out"), "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out/replay.json").read_text())


def test_every_option_reaches_the_engine(tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    options = ("--sampling", "thrifty", "--tier", "model-1=strong", "--tier", "*=light")
    result = replay(EXAMPLE, *PANEL, *options, "--save", folder)
    assert result.exit_code == 0, result.output
    saved = json.loads((tmp_path / "out/replay.json").read_text())
    assert saved["settings"]["sampling"] == "thrifty"
    assert saved["measured"]["calls"] < 3
    panel = ("--panel", "model-2,model-3", "--escalate-to", "model-1")
    judged = ("--strategy", "synthesis", "--arbiter", "model-1")
    result = replay(EXAMPLE, *panel, *judged, "--where", "topic=prime", "--save", folder)
    assert result.exit_code == 0, result.output
    assert "1 question;" in result.output
    assert "stood in for" in result.output
    saved = json.loads((tmp_path / "out/replay.json").read_text())
    assert saved["measured"]["calls"] == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--panel", "model-1,nobody"), "recorded of nobody. There are: model-1"),
        (("--panel", " , "), "name at least one model"),
        ((*PANEL, "--tier", "strong"), "NAME=VALUE"),
        ((*PANEL, "--tier", "model-1=huge"), "no tier huge"),
        ((*PANEL, "--tier", "x=strong"), "x, who is not a member"),
        ((*PANEL, "--strategy", "best"), "Choose one of: auto"),
        ((*PANEL, "--strategy", "roles", "--sampling", "thrifty"), "needs every member"),
        ((*PANEL, "--sampling", "half"), "full, adaptive, thrifty"),
        ((*PANEL, "--where", "topic=none"), "nothing to replay"),
    ],
)
def test_what_cannot_be_replayed_says_what_to_do(
    options: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    result = replay(EXAMPLE, *options, "--save", str(tmp_path))
    assert result.exit_code != 0
    assert told in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "line 1: the line: Invalid JSON"),
        (b'{"question_id": 1, "gold": "B"}\n\n{"question_id": 2}', "line 3: gold: Field required"),
        (b'{"question_id": 1, "gold": "B", "answers": {"a": ["B"]}}', "line 1: answers.a"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_no_recording_names_the_line(
    content: bytes, told: str, tmp_path: Path
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_bytes(content)
    result = replay(data, "--panel", "a")
    assert result.exit_code == 1
    assert told in result.output
    assert "Traceback" not in result.output


def test_gzipped_files_are_read_and_broken_ones_named(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl.gz"
    data.write_bytes(gzip.compress(EXAMPLE.read_bytes()))
    assert replay(data, *PANEL, "--save", str(tmp_path / "out")).exit_code == 0
    data.write_bytes(b"no gzip")
    assert "cannot be read" in replay(data, *PANEL).output


def test_panels_are_suggested_by_what_they_cost() -> None:
    example = str(ROOT / "examples" / "replay.jsonl")
    done = CliRunner().invoke(main, ["replay", example, "--suggest", "2"])
    assert done.exit_code == 0, done.output
    assert "models, on" in done.output
    assert "calls  accuracy" in done.output
    paid = CliRunner().invoke(
        main, ["replay", example, "--suggest", "2", "--panel", "model-1,model-3",
               "--price", "model-1=0.01", "--price", "*=0.001"],
    )  # fmt: skip
    assert "Of 2 models" in paid.output
    assert "USD  accuracy" in paid.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name a --panel, or let --suggest find one"),
        (["--suggest", "2", "--panel", "nobody"], "Nothing is recorded of nobody"),
        (["--suggest", "2", "--price", "model-1=1"], "No price is given of model-2"),
        (["--suggest", "2", "--price", "*=cheap"], "US dollars a call, such as 0.002"),
    ],
)
def test_what_cannot_be_suggested_is_said(arguments: list[str], told: str) -> None:
    example = str(ROOT / "examples" / "replay.jsonl")
    done = CliRunner().invoke(main, ["replay", example, *arguments])
    assert done.exit_code != 0
    assert told in done.output
