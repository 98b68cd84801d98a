"""`-a`, `--at`, `-f` and `--sf` of `llm consortium`, and `-a` of `llm -m NAME`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import llm
import pytest
from click.testing import CliRunner, Result
from llm.cli import cli
from llm.plugins import pm

from consortium_mcp import create_consortium
from consortium_mcp.frontends.llm import plugin
from tests.support.files import pdf, png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.fake_models import FakeAsync

plugin.register_commands(cli)  # tests load no plugins: this is what llm does with ours
pytestmark = pytest.mark.usefixtures("our_plugin")

PANEL = ("-m", "o3-mini", "-m", "gpt-4o", "--arbiter", "gemini-2", "--strategy", "synthesis")


@pytest.fixture(autouse=True)
def seeing(documented: dict[str, FakeAsync]) -> FakeAsync:
    model = documented["o3-mini"]
    model.attachment_types = {"image/png", "application/pdf"}
    return model


@pytest.fixture
def loader() -> Iterator[None]:
    """Fragments `desk:…`, as a plugin for llm gives them."""

    fragment: Any = llm.Fragment  # untyped

    def load(argument: str) -> Any:  # noqa: ANN401 (what llm takes)
        if argument == "picture":
            return llm.Attachment(type="image/png", content=png())
        if argument == "several":
            return [fragment("one", "desk:1"), fragment("two", "desk:2")]
        if argument == "broken":
            raise ValueError("the desk is closed")
        return fragment(f"On the desk: {argument}", f"desk:{argument}")

    class Desk:
        @llm.hookimpl
        def register_fragment_loaders(self, register: Callable[..., None]) -> None:
            register("desk", load)

    desk = Desk()
    pm.register(desk)
    yield
    pm.unregister(desk)


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [*arguments], input=stdin)


def asked(model: FakeAsync, *arguments: str, stdin: bytes | None = None) -> Any:  # noqa: ANN401
    """The prompt that a member got of `llm consortium` with these arguments."""
    done = run("consortium", "What is it?", *PANEL, *arguments, stdin=stdin)
    assert done.exit_code == 0, done.output
    return model.prompts[-1]


def test_a_file_and_a_typed_one(seeing: FakeAsync, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "scan").write_bytes(pdf("x"))
    photo, scan = str(tmp_path / "photo.png"), str(tmp_path / "scan")
    prompt = asked(seeing, "-a", photo, "--at", scan, "application/pdf")
    found = [(each.type, each.content) for each in prompt.attachments]
    assert found == [("image/png", png()), ("application/pdf", pdf("x"))]
    assert "photo.png (image/png)" in prompt.prompt


def test_the_report_and_the_plan_of_the_terminal_say_what_is_attached(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("It is down.")
    done = run("consortium", "Why?", *PANEL, "-a", str(tmp_path / "a.log"))
    assert "Attached: a.log (text/plain, 11 bytes)" in done.output


@pytest.mark.parametrize("type_", [(), ("text/csv",)])
def test_what_is_piped_may_be_attached(seeing: FakeAsync, type_: tuple[str, ...]) -> None:
    option = ("--at", "-", *type_) if type_ else ("-a", "-")
    prompt = asked(seeing, *option, stdin=b"a,b\n1,2\n")
    name = f"stdin ({type_[0] if type_ else 'text/plain'})"
    assert f"{name}:\n[" in prompt.prompt
    assert prompt.prompt.count("1,2") == 1


def test_a_picture_may_be_piped(seeing: FakeAsync) -> None:
    [attached] = asked(seeing, "-a", "-", stdin=png()).attachments
    assert (attached.type, attached.content) == ("image/png", png())


@pytest.mark.usefixtures("loader")
def test_fragments_are_quoted_by_their_source(seeing: FakeAsync, tmp_path: Path) -> None:
    (tmp_path / "style.txt").write_text("Be brief.")
    run("fragments", "set", "style", str(tmp_path / "style.txt"))
    for fragment, shown in {
        "desk:lamp": "desk:lamp (text/plain):",
        "desk:several": "desk:2 (text/plain):",
        "style": "Be brief.",
        str(tmp_path / "style.txt"): "Be brief.",
    }.items():
        assert shown in asked(seeing, "-f", fragment).prompt


@pytest.mark.usefixtures("loader")
def test_a_fragment_may_be_a_picture(seeing: FakeAsync) -> None:
    [attached] = asked(seeing, "-f", "desk:picture").attachments
    assert attached.content == png()


@pytest.mark.usefixtures("loader")
def test_system_fragments_stand_before_the_system_prompt(seeing: FakeAsync) -> None:
    prompt = asked(seeing, "--sf", "desk:lamp", "--sf", "desk:pen", "--system", "Be brief.")
    expected = "On the desk: lamp\n\nOn the desk: pen\n\nBe brief."
    assert (prompt.system or "").startswith(expected)


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-f", "nothing-of-the-kind"), "not found"),
        (("-f", "shelf:x"), "Unknown fragment prefix"),
        (("-f", "desk:broken"), "the desk is closed"),
        (("-f", "http://127.0.0.1:1/a.txt"), "cannot be loaded"),
        (("-f", os.curdir), "cannot be loaded"),
        (("--sf", "desk:picture"), "disallowed attachment"),
        (("-a", "nothing.png"), "cannot be read"),
        (("-a", os.curdir), "no ordinary file"),
        (("-a", "https://example.com/x"), "Give its type"),
    ],
)
def test_what_cannot_be_attached_is_an_error_without_a_call(
    documented: dict[str, FakeAsync], arguments: tuple[str, ...], told: str
) -> None:
    done = run("consortium", "What?", *PANEL, *arguments)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert documented["gpt-4o"].prompts == []


@pytest.fixture
def mine(our_plugin: None) -> str:  # noqa: ARG001 (its models)
    create_consortium(["o3-mini", "gpt-4o"], arbiter="gemini-2", strategy="synthesis").save("mine")
    return "mine"


def test_a_conversation_keeps_its_files(seeing: FakeAsync, mine: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    assert run("-m", mine, "What is it?", "-a", str(tmp_path / "photo.png")).exit_code == 0
    done = run("-c", "And its colour?")
    assert done.exit_code == 0, done.output
    [attached] = seeing.prompts[-1].attachments
    assert attached.content == png()
    assert "photo.png" in seeing.prompts[-1].prompt


def test_a_file_that_has_gone_since_is_an_error(mine: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(png())
    assert run("-m", mine, "What is it?", "-a", str(photo)).exit_code == 0
    photo.unlink()
    done = run("-c", "And its colour?")
    assert done.exit_code == 1
    assert "photo.png" in done.stderr


@pytest.mark.parametrize("name", ["main.c", "settings.toml", "data.json"])
def test_texts_of_every_type_may_be_attached(
    documented: dict[str, FakeAsync], mine: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text('{"a": 1}')
    done = run("-m", mine, "What is it?", "-a", str(tmp_path / name))
    assert done.exit_code == 0, done.output
    assert '{"a": 1}' in documented["gpt-4o"].prompts[-1].prompt
