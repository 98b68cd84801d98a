"""Each command of the README and of docs/, run as it stands there.

Every block of commands belongs to a scene: a test with an environment of its own that runs the
block's commands in their order. A block without a scene, or a command that fails, is an error; what
cannot be run stands in `NOT_RUN` with its reason.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import venv
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from consortium_mcp.adapters.clients.configs import CLIENTS, Machine, as_text
from tests.conftest import CHECKOUT, ROOT
from tests.support.document_commands import PROGRAMS, SHELL, blocks, inline, unknown_parts
from tests.support.files import pdf, png
from tests.support.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.document_commands import Block
    from tests.support.postgres import Server

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
GENERATED = "commands.md"
"""Holds help texts only."""
FOUND = [block for page in PAGES for block in blocks(page)]

SCENES: Mapping[tuple[str, str], str] = {
    ("README.md", "consortium-mcp"): "clone",
    ("CONTRIBUTING.md", "Contributing"): "clone",
    ("operating.md", "Providers and keys"): "clone",
    ("operating.md", "The database"): "clone",
    ("answers.md", "Your own evidence"): "clone",
    ("strategies.md", "Your own judges"): "clone",
    ("replay.md", "Measure a panel on recorded answers"): "clone",
    ("replay.md", "Which panel"): "clone",
    ("README.md", "Install"): "installation",
    ("README.md", "Use it"): "terminal",
    ("terminal.md", "Ask"): "terminal",
    ("terminal.md", "Save a panel"): "terminal",
    ("templates.md", "Templates"): "terminal",
    ("terminal.md", "Look back"): "terminal",
    ("page.md", "Look at a run"): "terminal",
    ("terminal.md", "Completion"): "completion",
    ("files.md", "Attach something"): "files",
    ("files.md", "Tools for members"): "files",
    ("objects.md", "Answers that are objects"): "files",
    ("objects.md", "A gate"): "files",
    ("benchmarks.md", "Strategies on recorded answers"): "benchmarks",
    ("clients.md", "Claude Code"): "claude code",
    ("moving-from-llm-consortium.md", "Moving from llm-consortium"): "moving",
    ("releasing.md", "How"): "releasing",
    ("team.md", "In ten minutes"): "team",
    ("team.md", "For others than this machine"): "team",
    ("team.md", "Sign in with your identity provider"): "team",
    ("team.md", "Budgets"): "team",
    ("team.md", "Several servers, and workers apart"): "team",
}
"""The page and the heading of a block of commands -> the test below that runs it."""
NOT_RUN = {
    "uv run pytest": "it runs this test",
    ".ci/run": "it runs this test, too",
    "uv sync --extra team": "the tests' own environment has what it installs",
    "uv publish dist/*.whl dist/*.tar.gz": "it publishes",
    "mcp-publisher login github": "it needs an account",
    "mcp-publisher publish": "it publishes",
}
"""Command -> why it is not run."""

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the blocks are for a POSIX shell")


def commands_of(scene: str) -> list[str]:
    """What the scene has to run, each command once."""
    found = [block for block in FOUND if SCENES.get((block.page, block.heading)) == scene]
    commands = [each for block in found if block.language in SHELL for each in block.commands]
    return [each for each in dict.fromkeys(commands) if each not in NOT_RUN]


def test_every_block_of_commands_has_a_scene() -> None:
    shown = {(each.page, each.heading) for each in FOUND if each.language in SHELL}
    assert shown == set(SCENES)
    said = {each for block in FOUND for each in block.commands}
    assert set(NOT_RUN) <= said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_stands_in_a_block_of_another_kind(page: Path) -> None:
    if page.name == GENERATED:
        return
    others = [each for each in blocks(page) if each.language in {"", "text"}]
    assert [line for each in others for line in each.commands if re.match(PROGRAMS, line)] == []


@CHECKOUT
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_within_the_text_have_only_what_their_program_has(page: Path) -> None:
    wrong = {code: parts for code in inline(page) if (parts := unknown_parts(code))}
    assert wrong == {}


@pytest.mark.parametrize("code", ["consortium-mcp docter", "consortium-mcp runs prune --old 3d"])
def test_a_command_within_the_text_that_is_wrong_is_noticed(code: str) -> None:
    assert unknown_parts(code)


@dataclass
class World:
    """Where a scene is played: a home, a folder for programs, settings of its own."""

    folder: Path
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        return Path(self.environment["HOME"])

    @property
    def programs(self) -> Path:
        return self.folder / "programs"

    def run(self, command: str, *, typed: str = "", cwd: Path = ROOT) -> str:
        """Run one command and return what it printed; `typed` is what a person answers."""
        done = subprocess.run(  # noqa: S602 (the command is the documents' own)
            command,
            shell=True,
            cwd=cwd,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=300,
            start_new_session=True,  # away from a terminal, where a prompt would ask a person
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def world(child_environment: dict[str, str], tmp_path: Path) -> World:
    """A new user's machine: nothing of what these tests' own environment would lend."""
    kept = {
        name: value
        for name, value in child_environment.items()
        if not name.startswith("XDG_") and name not in {"VIRTUAL_ENV", "UV_NO_SYNC", "PYTHONPATH"}
    }
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    programs.mkdir()
    own = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "project"),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(programs),
    }
    uv = shutil.which("uv")
    if uv:  # its downloads, which it would look for in the other home
        own["UV_CACHE_DIR"] = subprocess.check_output([uv, "cache", "dir"], text=True).strip()
    return World(tmp_path, kept | own)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """That packages can be installed; without a network a skip (not in CI)."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    target = str(tmp_path_factory.mktemp("target"))
    tried = subprocess.run(
        [uv, "pip", "install", "--dry-run", "--target", target, "llm-grok"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode and not os.environ.get("CI"):
        pytest.skip(f"packages cannot be installed here: {tried.stderr}")


@CHECKOUT
@POSIX
@pytest.mark.local_model
@pytest.mark.usefixtures("local_models", "packages")
def test_clone(world: World) -> None:
    fresh = world.folder / "python"
    venv.create(fresh, with_pip=True)
    world.environment["PATH"] = f"{fresh / 'bin'}{os.pathsep}{world.environment['PATH']}"
    for command in commands_of("clone"):
        world.run(command)
    assert (Path(world.environment["LLM_USER_PATH"]) / "consortium.db").exists()


@CHECKOUT
@POSIX
@pytest.mark.usefixtures("packages")
def test_installation(world: World) -> None:
    client = CLIENTS["claude-desktop"].path(Machine(world.home, sys.platform, {}))
    client.parent.mkdir(parents=True)
    for command in commands_of("installation"):
        world.run(command, typed="made-up\n" if command.startswith("llm keys set") else "")
    entry = json.loads(client.read_text(encoding="utf-8"))["mcpServers"]["consortium"]
    assert (Path(entry["command"]).name, entry["args"]) == ("consortium-mcp", [])
    assert Path(entry["command"]).is_absolute()
    keys = json.loads((Path(world.environment["LLM_USER_PATH"]) / "keys.json").read_text("utf-8"))
    assert {"openai", "anthropic", "gemini"} <= set(keys)

    def plugins() -> set[str]:
        return {each["name"] for each in json.loads(world.run("llm plugins"))}

    def advice(provider: str) -> str:
        found = re.search(
            rf"  {provider}: no plugin; run `(.*)`", world.run("consortium-mcp doctor")
        )
        assert found
        return found[1]

    before = plugins()
    assert {"consortium-mcp", "llm-anthropic", "llm-gemini"} <= before
    world.run("llm install llm-mistral")  # as llm's own documents say
    world.run(advice("grok"))
    assert plugins() == before | {"llm-mistral", "llm-grok"}
    world.run(advice("deepseek"))
    assert plugins() == before | {"llm-mistral", "llm-grok", "llm-deepseek"}


@pytest.fixture
def terminal(world: World) -> World:
    """The programs of this environment, with fakes of the models that the documents name."""
    plugin = world.folder / "plugin"
    information = plugin / "llm_documented-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: llm-documented\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(
        "[llm]\ndocumented = tests.support.documented_models\n"
    )
    world.environment["PYTHONPATH"] = f"{plugin}{os.pathsep}{ROOT}"
    programs = Path(sys.executable).parent
    world.environment["PATH"] = f"{programs}{os.pathsep}{world.environment['PATH']}"
    return world


def interrupted_run(world: World) -> str:
    """Begin a run, kill its process, and return the run's id when it is known as interrupted."""
    user_dir = Path(world.environment["LLM_USER_PATH"])
    (user_dir / "hold").touch()
    command = ["llm", "consortium", "?", "-m", "gpt-4o", "-m", "claude-opus-5"]
    child = subprocess.Popen(command, env=world.environment, stderr=subprocess.DEVNULL)
    try:
        wait_for_run(world, "working")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        (user_dir / "hold").unlink()
    return wait_for_run(world, "interrupted")


def wait_for_run(world: World, status: str) -> str:
    """The id of the run that has this status; each look takes as long as the program's start."""
    for _ in range(300):
        found = json.loads(world.run(f"llm consortium runs --status {status} --json"))["runs"]
        if found:
            return str(found[0]["run_id"])
    raise AssertionError(f"no run was {status}")


@CHECKOUT
@POSIX
def test_terminal(terminal: World) -> None:
    printed = {}
    for command in commands_of("terminal"):
        run_id = ""
        if "RUN_ID" in command:
            run_id = interrupted_run(terminal) if " resume " in command else last_run(terminal)
        printed[command] = terminal.run(command.replace("RUN_ID", run_id))
    answers = [text for command, text in printed.items() if command.startswith("llm -m")]
    assert answers
    assert all("It should take the lock." in text for text in answers)
    reports = [text for command, text in printed.items() if "llm consortium" in command]
    assert all(text.strip() for text in reports)


@CHECKOUT
@POSIX
def test_completion(terminal: World) -> None:
    terminal.run("llm consortium save council -m gpt-4o -m claude-opus-5")
    for command in commands_of("completion"):
        terminal.run(command)
    # As bash calls what the lines have put into its settings.
    typed = (
        f". {terminal.home}/.bashrc; "
        "COMP_WORDS=({}) COMP_CWORD={}; _{}_completion {}; echo ${{COMPREPLY[@]}}"
    )
    for words, last, program, found in (
        ("llm consortium show c", 3, "llm", "council"),
        ("consortium-mcp le", 1, "consortium_mcp", "leaderboard"),
    ):
        asked = typed.format(words, last, program, words.split()[0])
        assert terminal.run(shlex.join(["bash", "-c", asked])) == f"{found}\n"


@CHECKOUT
@POSIX
def test_files(terminal: World) -> None:
    """In the folder of a project, where the files that the commands name are."""
    project = terminal.folder / "project"
    project.mkdir()
    (project / "screenshot.png").write_bytes(png())
    for name in ("contract.pdf", "invoice.pdf"):
        (project / name).write_bytes(pdf("Due on 1 December."))
    for name in ("server.log", "main.py", "house-style.md"):
        (project / name).write_text("print('It waits.')\n", encoding="utf-8")
    invoice = {"type": "object", "properties": {"vendor": {"type": "string"}}}
    (project / "invoice.json").write_text(json.dumps(invoice), encoding="utf-8")
    shutil.copy(ROOT / "examples" / "review_gate" / "findings.json", project)
    for command in (
        "git init --quiet --initial-branch main",
        "git add main.py",
        "git -c user.name=A -c user.email=a@example.com commit --quiet --message Begin",
        "llm consortium save council -m gpt-4o -m claude-opus-5",
        "llm consortium save reviewers -m gpt-4o -m claude-opus-5",
    ):
        terminal.run(command, cwd=project)
    (project / "main.py").write_text("print('It takes the lock.')\n", encoding="utf-8")
    printed = [terminal.run(command, cwd=project) for command in commands_of("files")]
    assert all(text.strip() for text in printed)
    assert sum("It should take the lock." in text for text in printed) == 4
    assert sum('"vendor": "Example Ltd"' in text for text in printed) == 2
    assert json.loads(printed[-1])["verdict"] == "merge"


def last_run(world: World) -> str:
    return str(json.loads(world.run("llm consortium runs --json"))["runs"][0]["run_id"])


@CHECKOUT
@pytest.mark.parametrize(
    "block", [each for each in FOUND if each.language == "python"], ids=lambda block: block.page
)
def test_python(block: Block, terminal: World) -> None:
    script = terminal.folder / "script.py"
    script.write_text(block.text, encoding="utf-8")
    assert "It should take the lock." in terminal.run(shlex.join([sys.executable, str(script)]))


@CHECKOUT
@POSIX
def test_benchmarks(terminal: World) -> None:
    commands = commands_of("benchmarks")
    named = re.findall(r"(?:--panel|--escalate-to) (\S+)", "\n".join(commands))
    models = sorted({model for each in named for model in each.split(",")})
    questions = [
        {"question_id": n, "gold": "A", "answers": {model: ["A", 0.9, 5] for model in models}}
        for n in range(20)
    ]
    for name in {word for each in commands for word in shlex.split(each) if word.endswith(".gz")}:
        with gzip.open(terminal.folder / name, "wt", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(question)}\n" for question in questions)
    for command in commands:
        assert "100.0%" in terminal.run(command, cwd=terminal.folder)


@CHECKOUT
@POSIX
@pytest.mark.usefixtures("packages")
def test_claude_code(world: World) -> None:
    """A stand-in for `claude` takes the server down; it is started, and ended with the check."""
    told = world.folder / "told"
    stand_in = world.programs / "claude"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{shlex.quote(str(told))}\n')
    stand_in.chmod(0o755)
    [command] = commands_of("claude code")
    world.run(command)
    arguments = told.read_text().splitlines()
    server = arguments[arguments.index("--") + 1 :]
    assert arguments[:5] == ["mcp", "add", "--scope", "user", "consortium"]
    for name, client in CLIENTS.items():
        block = as_text(client, "consortium", client.entry(server[0], server[1:], {}))
        page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
        assert f"```{client.form}\n{block}```" in page, name
    start = shlex.join(server).replace("/path/to/consortium-mcp", str(ROOT))
    check = shlex.join([sys.executable, str(ROOT / "packaging" / "check_server.py")])
    assert "10 tools" in world.run(f"{check} {start}")


@CHECKOUT
@POSIX
def test_team(terminal: World, postgres: Server) -> None:
    """Servers and workers run until the scene ends; a client signs in with the first token."""
    stand_in = terminal.programs / "claude"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    terminal.environment["PATH"] = f"{terminal.programs}{os.pathsep}{terminal.environment['PATH']}"
    token, addresses = "", []
    with postgres.database() as url, ExitStack() as stack:
        for command in commands_of("team"):
            if command.startswith("export CONSORTIUM_DATABASE_URL="):
                terminal.environment["CONSORTIUM_DATABASE_URL"] = url
                continue
            words = command.removeprefix("uv run ").replace("TOKEN", token)
            if re.search(r"consortium-mcp (serve|work)\b", words):
                words += f" --port {free_port()}" if " serve" in words else ""
                addresses.append(stack.enter_context(_serving(terminal, words)))
            else:
                printed = terminal.run(words)
                token = token or printed.strip()
        assert token.startswith("consortium_")
        assert [bool(each) for each in addresses] == [True, True, True, False]
        for address in (addresses[0], addresses[2]):
            answer = httpx2.post(
                f"{address}/mcp",
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
                headers={
                    "accept": "application/json, text/event-stream",
                    "authorization": f"Bearer {token}",
                },
            )
            assert "consult_consortium" in answer.text, answer.text


@contextmanager
def _serving(world: World, command: str) -> Iterator[str]:
    """A server or a worker while the context lasts; the address that it says, if it says one."""
    with subprocess.Popen(
        shlex.split(f"env {command}"),
        env=world.environment | {"CONSORTIUM_DRAIN_SECONDS": "0", "CONSORTIUM_LOG": "INFO"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line, found = "", None
            while found is None and process.stderr is not None:
                line = process.stderr.readline()
                assert line, f"{command} has ended"
                found = re.search(r"Listening on (\S+)/mcp|works on runs()", line)
            yield (found and found[1]) or ""
        finally:
            process.terminate()
            process.communicate(timeout=60)


@CHECKOUT
@POSIX
@pytest.mark.usefixtures("packages")
def test_moving(world: World) -> None:
    """In an environment of llm and llm-consortium, as those have who move."""
    theirs = world.folder / "theirs"
    world.environment["PATH"] = f"{theirs / 'bin'}{os.pathsep}{world.environment['PATH']}"
    del world.environment["LLM_USER_PATH"]  # llm-consortium writes into llm's usual folder only
    world.run(f"uv venv --quiet {theirs}")
    install = f"uv pip install --quiet --python {theirs}"
    world.run(f"{install} llm")
    world.run("llm logs path")  # makes the folder, which llm-consortium needs
    world.run(f"{install} llm-consortium scikit-learn")  # it needs both, and does not say so
    world.run("llm consortium save theirs -m gpt-4o -m gpt-4o-mini --arbiter gpt-4o")
    for command in commands_of("moving"):
        world.run(command, typed="y\n")
    assert "theirs" in world.run("llm consortium list")


def test_releasing() -> None:
    assert commands_of("releasing") == []


@CHECKOUT
@POSIX
@pytest.mark.usefixtures("packages")
def test_a_clone_that_has_changed_is_built_anew(world: World) -> None:
    """As after a pull; `[tool.uv] cache-keys` says what a build is made of."""
    clone = world.folder / "clone"
    ignored = shutil.ignore_patterns(".*", "tests", "dist", "uv.lock", "__pycache__")
    shutil.copytree(ROOT, clone, ignore=ignored)
    start = f"uvx --quiet --from {clone} consortium-mcp --help"
    before = "Ask several language models at once."
    assert before in world.run(start)
    main = clone / "consortium_mcp" / "frontends" / "cli" / "main.py"
    main.write_text(main.read_text("utf-8").replace(before, "Ask a changed clone."), "utf-8")
    assert "Ask a changed clone." in world.run(start)
