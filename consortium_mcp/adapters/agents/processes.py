"""One process for one call: its input, its output, and the end of its whole tree.

The program runs below `watcher`, which kills everything when the call is given up, and also when
this process is killed.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from consortium_mcp.adapters.agents.programs import Ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

_WATCHER = Path(__file__).with_name("watcher.py")
MAX_OUTPUT_BYTES = 20_000_000
"""More than any answer; the rest is dropped."""


async def run(
    command: Sequence[str], *, prompt: str, environment: Mapping[str, str], folder: Path
) -> Ended:
    """Run a program and wait for its end. When this is cancelled, its tree is killed.

    Args:
        command: the program and its arguments.
        prompt: its standard input.
        environment: all of its variables.
        folder: its working folder.

    Raises:
        OSError: it cannot be started.
    """
    content = prompt.encode()
    async with _watched(command, environment, folder) as watched:
        with suppress(ConnectionError):  # it has ended already; its output says why
            watched.input.write(f"{len(content)}\n".encode() + content)
            await watched.input.drain()
        output, errors = await asyncio.gather(read(watched.output), read(watched.errors))
        code = await watched.process.wait()
    return Ended(code, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))


@dataclass(frozen=True)
class Watched:
    """A running program with its standard streams."""

    process: asyncio.subprocess.Process
    input: asyncio.StreamWriter
    output: asyncio.StreamReader
    errors: asyncio.StreamReader


@asynccontextmanager
async def conversation(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path
) -> AsyncIterator[Watched]:
    """A program that is spoken with for as long as this lasts; then its tree is killed.

    Raises:
        OSError: it cannot be started.
    """
    async with _watched(command, environment, folder) as watched:
        watched.input.write(b"stream\n")
        yield watched


@asynccontextmanager
async def _watched(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[Watched]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(_WATCHER), *command,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=dict(environment), cwd=folder, limit=MAX_OUTPUT_BYTES,
    )  # fmt: skip
    lifeline = cast("asyncio.StreamWriter", process.stdin)
    output, errors = (
        cast("asyncio.StreamReader", each) for each in (process.stdout, process.stderr)
    )
    try:
        yield Watched(process, lifeline, output, errors)
    finally:
        lifeline.close()
        if process.returncode is None:
            await asyncio.shield(process.wait())


async def read(stream: asyncio.StreamReader) -> bytes:
    """All of it; what goes beyond any answer is dropped."""
    kept = bytearray()
    while chunk := await stream.read(65_536):
        if len(kept) < MAX_OUTPUT_BYTES:
            kept += chunk
    return bytes(kept)
