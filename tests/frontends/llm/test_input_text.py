from __future__ import annotations

import codecs
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from llm.cli import cli

from consortium_mcp.adapters.files.decoding import text_of
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.llm import plugin
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.support.fake_models import FakeAsync

plugin.register_commands(cli)
PANEL = ("-m", "o3-mini", "-m", "gpt-4o", "--strategy", "vote", "--quiet")
TEXT = "Où est le café ?\nEt le thé ?"


@pytest.mark.parametrize(
    ("data", "encodings"),
    [
        (TEXT.encode(), ()),
        (TEXT.encode("utf-8-sig"), ()),
        (TEXT.encode("utf-16"), ()),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), ()),
        (TEXT.encode("utf-32"), ()),
        (TEXT.encode("latin-1"), ("utf-8", "iso-8859-1")),
        (TEXT.encode("cp1252"), ("cp1252",)),
        (TEXT.encode("cp850"), ("ascii", "cp850")),
        (TEXT.encode(), ("iso-8859-1",)),  # UTF-8 is too particular to be another by chance
        (TEXT.replace("\n", "\r\n").encode(), ()),
        (TEXT.replace("\n", "\r").encode(), ()),
    ],
)
def test_a_mark_or_the_users_settings_tell_the_encoding(
    data: bytes, encodings: tuple[str, ...]
) -> None:
    assert text_of(data, "It", encodings) == TEXT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"caf\xe9",
            "It is not text in UTF-8: byte 0xe9 at position 3. Save or convert",
        ),
        (TEXT.encode("utf-16-le"), "It holds zero bytes: it is no text, or UTF-16 without a mark"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "It holds zero bytes"),
        (codecs.BOM_UTF8 + b"caf\xe9", "It is not text in UTF-8: byte 0xe9 at position 3"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "It is not text in UTF-16-LE: byte 0x62 at position 2"),
    ],
)
def test_what_is_no_such_text_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        text_of(data, "It", ("utf-8", "ascii"))


@pytest.mark.usefixtures("our_plugin")
def test_what_is_piped_in_is_read_as_text_or_not_at_all(documented: dict[str, FakeAsync]) -> None:
    done = CliRunner().invoke(cli, ["consortium", *PANEL], input=TEXT.encode("utf-16"))
    assert done.exit_code == 0
    assert documented["o3-mini"].prompts[-1].prompt == TEXT
    done = CliRunner().invoke(cli, ["consortium", "-", *PANEL], input=TEXT.encode())
    assert documented["o3-mini"].prompts[-1].prompt == TEXT
    asked = len(documented["o3-mini"].prompts)
    done = CliRunner().invoke(cli, ["consortium", *PANEL], input=b"\x89PNG\x00\xff")
    assert done.exit_code == 1
    assert "Error: What is piped in holds zero bytes" in done.output
    assert len(documented["o3-mini"].prompts) == asked


BROKEN = os.fsdecode(b"caf\xe9") if sys.platform != "win32" else "caf\udce9"


@pytest.mark.usefixtures("our_plugin")
@pytest.mark.parametrize(
    "arguments",
    [
        ["consortium", *PANEL, BROKEN],
        ["consortium", *PANEL, "?", "-s", BROKEN],
        ["consortium", *PANEL, "?", "-m", BROKEN],
        ["consortium", *PANEL, "?", "-m", f'{{"model": "o3-mini", "system": "{BROKEN}"}}'],
        ["consortium", *PANEL, "?", "--arbiter-options", f'{{"stop": "{BROKEN}"}}'],
        ["consortium", "save", "mine", *PANEL[:4], "--description", BROKEN],
        ["-m", "mine", BROKEN],
        ["-m", "mine", "?", "-s", BROKEN],
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "replace").decode(),
)
def test_no_argument_is_sent_with_marks_in_place_of_its_letters(
    arguments: list[str], documented: dict[str, FakeAsync]
) -> None:
    if arguments[1] == "mine":
        saved = CliRunner().invoke(cli, ["consortium", "save", "mine", *PANEL[:4]])
        assert saved.exit_code == 0
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code != 0
    assert "A text on the command line is not text in UTF-8: byte 0xe9" in done.output
    assert documented["o3-mini"].prompts == []


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are UTF-16 there")
@pytest.mark.parametrize(("encoding", "code"), [("iso-8859-1", 0), ("utf-8", 1)])
def test_pythons_own_variable_says_what_stdin_is_in(
    child_environment: dict[str, str], encoding: str, code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fake_llm", "consortium", "-m", "sure", "--quiet"],
        env=child_environment | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        cwd=ROOT,
        input=TEXT.encode("latin-1"),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert (b"byte 0xf9 at position 1" in done.stderr) == bool(code)
