"""The table of agent programs in docs/providers.md: what each does with each case, from a run.

python -m tests.programs.table >table.md
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from consortium_mcp.core.domain.errors import MemberError
from tests.programs import kit
from tests.programs.kit import SCHEMA, VERSIONS, Subject
from tests.providers.kit import ANSWER, JUDGEMENT, Api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

INTRODUCTION = """## Agent programs

What the programs do with each case, put to the real program against a loopback server that speaks \
its API, in a home whose configuration is full of traps. `.ci/programs` makes this table and holds \
it against the code. `acp/…` are asked through the Agent Client Protocol.

`again`: it is asked again within the call's time. `for good`: it is not. `tries by itself`: the \
program asks again by itself, for longer than the 20 s that this table waits. `tools`: those that \
the request still offers. `traps`: the user's MCP servers, hooks and instruction files. \
`given up`: what is left of the processes and the connection of a call that is cancelled or times \
out.
"""
PATIENCE = 20


async def _member(subject: Subject) -> str:
    answer = await subject.ask("What is it? case:ok")
    return "answers" if answer.text == ANSWER else "answers otherwise"


async def _arbiter(subject: Subject) -> str:
    if not subject.knows_schemas:
        return "in words"
    answer = await subject.ask("Judge. case:judge", schema=SCHEMA)
    return "as JSON" if answer.text == json.dumps(JUDGEMENT) else "otherwise"


async def _system(subject: Subject) -> str:
    Api.requests.clear()
    await subject.ask("What is it? case:ok", system="Be careful and brief.")
    sent = json.dumps([body for _, body in Api.requests])
    if "Be careful and brief." not in sent:
        return "lost"
    return "before the prompt" if "Be careful and brief.\\n\\nWhat is it?" in sent else "its own"


async def _tokens(subject: Subject) -> str:
    answer = await subject.ask("What is it? case:ok")
    told = (answer.input_tokens, answer.output_tokens) == (7, 3)
    return ("tokens" if told else "none") + (", cost" if answer.cost_usd is not None else "")


def _error(case: str) -> Callable[[Subject], Awaitable[str]]:
    async def column(subject: Subject) -> str:
        with anyio.move_on_after(PATIENCE):
            try:
                await subject.ask(f"What is it? case:{case}")
            except MemberError as error:
                return "for good" if error.permanent else "again"
            return "as an answer"
        return "tries by itself"

    return column


async def _tools(subject: Subject) -> str:
    Api.requests.clear()
    await subject.ask("What is it? case:ok")
    tools = kit.tools_in([body for _, body in Api.requests if body])
    few = 6
    return ", ".join(sorted(tools)) if len(tools) < few else f"{len(tools)}, its own"


async def _traps(subject: Subject) -> str:
    home = Path(os.environ["HOME"])
    for each in ("sprung", "starts"):
        (home.parent / each).unlink(missing_ok=True)
    Api.requests.clear()
    await subject.ask("What is it? case:ok")
    sprung = any((home.parent / each).exists() for each in ("sprung", "starts"))
    read = kit.TRAP in json.dumps([body for _, body in Api.requests])
    return "its own configuration holds" if sprung or read else "none"


async def _given_up(subject: Subject) -> str:
    Api.hung_up.clear()
    with anyio.move_on_after(8):
        await subject.ask("What is it? case:hang")
    closed = await anyio.to_thread.run_sync(Api.hung_up.wait, 60)
    with anyio.move_on_after(60):  # a busy machine takes its time
        while kit.processes():  # noqa: ASYNC110 (they are no children of ours)
            await anyio.sleep(0.05)
    return "nothing" if closed and not kit.processes() else "something"


COLUMNS: dict[str, Callable[[Subject], Awaitable[str]]] = {
    "member": _member, "arbiter": _arbiter, "system text": _system, "told": _tokens,
    "key 401": _error("key"), "credit 402": _error("credit"), "missing 404": _error("missing"),
    "limited 429": _error("limited"), "broken 500": _error("broken"), "tools": _tools,
    "traps": _traps, "given up": _given_up,
}  # fmt: skip


async def table(port: int) -> str:
    """All rows, in Markdown."""
    rows = [f"| program | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for subject in kit.subjects(port):
        cells = [await column(subject) or "none" for column in COLUMNS.values()]
        rows.append(f"| {subject.name} ({VERSIONS[subject.program]}) | " + " | ".join(cells) + " |")
        sys.stderr.write(rows[-1] + "\n")
    return f"{INTRODUCTION}\n" + "\n".join(rows) + "\n"


def main() -> None:
    """Write the table to the file that is named."""
    with kit.api() as port, tempfile.TemporaryDirectory() as folder:
        os.environ.update(kit.trapped_home(Path(folder), port))
        Path(sys.argv[1]).write_text(anyio.run(table, port), encoding="utf-8")


if __name__ == "__main__":
    main()
