"""Puts one question to an agent program: finds it, starts it in an empty folder, reads it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.agents.environment import environment_for
from consortium_mcp.adapters.agents.finding import find
from consortium_mcp.adapters.agents.processes import run
from consortium_mcp.adapters.agents.programs import Answer, Call, plain
from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.adapters.agents.programs import Program


async def ask(
    program: Program,
    prompt: str,
    *,
    system: str | None = None,
    schema: Mapping[str, Any] | None = None,
    model: str | None = None,
) -> Answer:
    """The program's answer. Its processes have ended when this returns, or is cancelled.

    Raises:
        MemberError: the program is not there, or it failed; in its own words.
    """
    path = find(program.name, Path.home())
    if path is None:
        why = f"the program {program.name} is not installed, or not where it is looked for"
        raise MemberError(why, kind="missing", permanent=True)
    with tempfile.TemporaryDirectory(prefix="consortium-", ignore_cleanup_errors=True) as made:
        folder, empty = folders(made)
        call = Call(prompt, folder, system, schema, model)
        try:
            ended = await run(
                [str(path), *program.command(call)],
                prompt=prompt,
                environment=environment_for(program, folder)
                | program.environment(call, Path.home()),
                folder=empty,
            )
        except OSError as error:
            raise MemberError(f"{path} cannot be started: {error}", kind="missing") from error
        try:
            return program.read(ended)
        except MemberError as error:
            if error.kind == "version":
                raise await _version_error(program, path, error) from None
            raise


def folders(made: str) -> tuple[Path, Path]:
    """The call's folder, and an empty one in it to work in; resolved, as programs compare paths."""
    folder = Path(made).resolve()
    (folder / "empty").mkdir()
    return folder, folder / "empty"


async def _version_error(program: Program, path: Path, error: MemberError) -> MemberError:
    """Both versions, for a flag that the installed one does not know: never a start without it."""
    with tempfile.TemporaryDirectory(prefix="consortium-", ignore_cleanup_errors=True) as folder:
        ended = await run(
            [str(path), "--version"],
            prompt="",
            environment=environment_for(program, Path(folder)),
            folder=Path(folder),
        )
    number = re.search(r"\d+(?:\.\d+)+", plain(ended.output))
    installed = number.group() if number else "of an unknown version"
    return MemberError(
        f"{error}. The installed {program.name} is {installed}; this needs flags of "
        f"{program.tested}: update {program.name}",
        kind="version",
        permanent=True,
    )
