"""The agents that the user has named: `CONSORTIUM_ACP="opencode acp, copilot --acp"`."""

from __future__ import annotations

import logging
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from consortium_mcp.adapters.agents.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)
_VARIABLES = {
    "copilot": ("COPILOT_", "GH_", "GITHUB_TOKEN"),
    "claude-code-acp": ("ANTHROPIC_", "CLAUDE_"),
    "codex-acp": ("CODEX_", "OPENAI_"),
    "gemini": ("GEMINI_", "GOOGLE_"),
}
"""Of agents whose variables do not begin with their own name."""


@dataclass(frozen=True)
class Agent:
    """One agent; `agents.programs.SignedIn` says what the fields mean."""

    name: str
    """The end of `acp/NAME`."""
    command: tuple[str, ...]
    variables: tuple[str, ...] = field(default=())
    how_to_sign_in: str = ""

    @property
    def path(self) -> Path | None:
        """Its program; `None` where it is not found."""
        return find(self.command[0], Path.home())


def agents_of(commands: Iterable[str]) -> list[Agent]:
    """The agents that these commands start; one that cannot be read is left out with a warning.

    Args:
        commands: such as `opencode acp`, or `NAME=COMMAND` where the program's name says too
            little: `mine=npx my-agent`.
    """
    found: dict[str, Agent] = {}
    for text in commands:
        try:
            agent = _agent(text)
        except ValueError as error:
            log.warning("CONSORTIUM_ACP: %r cannot be read (%s); it is left out.", text, error)
            continue
        if agent.name in found:
            log.warning("CONSORTIUM_ACP names %s twice; write NAME=COMMAND for one.", agent.name)
            continue
        found[agent.name] = agent
    return list(found.values())


def _agent(text: str) -> Agent:
    words = shlex.split(text, posix=sys.platform != "win32")
    if not words:
        raise ValueError("it is empty")
    name, equals, program = words[0].partition("=")
    if not equals:
        name, program = PurePath(words[0]).stem.casefold(), words[0]
    if not name or not program:
        raise ValueError("it names no program")
    own = name.upper().replace("-", "_") + "_"
    known = _VARIABLES.get(PurePath(program).stem.casefold(), ())
    return Agent(
        name=name,
        command=(program, *words[1:]),
        variables=tuple(dict.fromkeys((own, *known))),
        how_to_sign_in=f"start `{program}` once and sign in",
    )
