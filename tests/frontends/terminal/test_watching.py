from __future__ import annotations

import subprocess
import sys
from io import StringIO

import pytest

from consortium_mcp.frontends.terminal import watching


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_terminal_is_drawn_on() -> None:
    assert watching.screen(StringIO()) is None
    assert watching.screen(Terminal()) is not None


def test_rows_need_a_terminal_that_can_draw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich would take a pipe for a terminal
    assert watching.live_rows() is None
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert watching.live_rows() is None
    monkeypatch.setenv("TERM", "xterm")
    assert watching.live_rows() is not None


@pytest.mark.parametrize(
    "program",
    [
        "import llm.cli; import consortium_mcp.frontends.llm.commands",
        "import consortium_mcp.frontends.llm.models",
        "import consortium_mcp.frontends.llm.history",
        "from consortium_mcp.frontends.mcp import server; server.make_server",
        "from consortium_mcp.frontends.cli import demo, doctor, main",
        "from consortium_mcp.frontends.cli.measuring import costs, leaderboard, replay",
    ],
)
def test_what_draws_is_loaded_only_where_somebody_looks(program: str) -> None:
    shown = f"{program}\nimport sys\nprint([n for n in sys.modules if n.split('.')[0] == 'rich'])"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
