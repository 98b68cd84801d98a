"""Tools of llm that members may use. llm's own chain calls them; here each use is watched."""

from __future__ import annotations

import asyncio
import inspect
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import click
import llm

from consortium_mcp.adapters.calls.provider_responses import ProviderResponse, read_response
from consortium_mcp.adapters.files.folders import Folders
from consortium_mcp.adapters.files.toolbox import FolderTools
from consortium_mcp.adapters.models.plugin_calls import in_thread, on_loop_of
from consortium_mcp.core.domain.errors import BudgetExceeded, ConfigError, MemberError
from consortium_mcp.core.domain.text import clean, closest
from consortium_mcp.core.domain.tool_use import MAX_STEPS
from consortium_mcp.core.domain.values import total

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence

    from consortium_mcp.core.domain.tool_use import Steps

FOLDER = "folder"
"""The name of the toolbox that looks into the open folders."""
TOOL_SECONDS = 60.0
"""How long one use of a tool may take."""
MAX_RESULT = 30_000
"""Characters of what a tool answers that the model is told; about 7,500 tokens."""


class Tools:
    """Finds tools by name.

    Args:
        folders: those that the user has opened to the toolbox `folder`.
    """

    def __init__(self, folders: Folders | None = None) -> None:
        self._folders = folders or Folders(())

    def find(self, names: Iterable[str]) -> list[llm.Tool]:
        """The tools of these names, each toolbox as its tools. Slow: it loads llm's plugins.

        Args:
            names: as `llm -T` takes them, such as `llm_time` or `Datasette("…")`, and `folder`.

        Raises:
            ConfigError: there is none of a name, or a toolbox cannot be made.
        """
        found: list[llm.Tool] = []
        for name in names:
            found += self._folder_tools() if name == FOLDER else _tools_of_llm(name)
        return found

    def _folder_tools(self) -> list[llm.Tool]:
        if not self._folders.roots:
            raise ConfigError(
                "The tool folder needs a folder: name those that members may look into in "
                "CONSORTIUM_FILES."
            )
        tools = FolderTools(self._folders)
        made: Any = llm.Tool  # untyped
        return [
            made.function(method, name=f"{FOLDER}_{name}")
            for name, method in (
                ("list", tools.entries),
                ("read", tools.read),
                ("search", tools.search),
            )
        ]


def _tools_of_llm(name: str) -> list[llm.Tool]:
    import llm.cli  # noqa: PLC0415 (0.2 s, for those who use tools)

    known = llm.get_tools()
    bare = name.partition("(")[0].strip()
    if bare not in known:
        near = closest(bare, [*known, FOLDER])
        raise ConfigError(
            f"There is no tool {bare!r} in llm. "
            + (f"Did you mean {', '.join(near)}? " if near else "")
            + "`llm tools list` shows those that are installed."
        )
    cli: Any = llm.cli
    try:
        gathered = cli._gather_tools([name], [])  # noqa: SLF001 (what `llm -T` does)
    except (click.ClickException, ValueError, TypeError) as error:
        raise ConfigError(f"The tool {name!r} cannot be made: {error}.") from error
    return [
        tool
        for each in gathered
        for tool in ([each] if isinstance(each, llm.Tool) else _tools_of(each))
    ]


def _tools_of(toolbox: Any) -> list[llm.Tool]:  # noqa: ANN401 (llm's Toolbox)
    toolbox.prepare()
    return [*toolbox.tools()]


def watched(
    tools: Sequence[llm.Tool], steps: Steps, home: asyncio.AbstractEventLoop
) -> list[llm.Tool]:
    """The tools, each use of which passes these steps on the loop that the run lives on."""

    def watch(tool: llm.Tool) -> llm.Tool:
        async def use(**arguments: Any) -> str:  # noqa: ANN401 (whatever the tool takes)
            run = partial(_result_of, tool, arguments)
            return str(await _at(home, steps.use(tool.name, arguments, run)))

        return replace(tool, implementation=use)

    return [watch(tool) for tool in tools]


async def _at(home: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
    """Run this on another loop, and wait for it on this one."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, home))


async def _result_of(tool: llm.Tool, arguments: Mapping[str, Any]) -> str:
    """What the tool answers, or how it failed: the model is told that, too."""
    work: Any = tool.implementation
    call = partial(work, **arguments)
    result: Any = f"Error: no result within {TOOL_SECONDS:g} s"
    with anyio.move_on_after(TOOL_SECONDS):
        try:
            if inspect.iscoroutinefunction(work):
                result = await on_loop_of("tools", call)
            else:
                result = await in_thread(call)
        except Exception as error:  # noqa: BLE001 (a tool's code is foreign)
            result = f"Error: {error}"
    if isinstance(result, llm.ToolOutput):
        result = result.output
    text = clean(result if isinstance(result, str) else json.dumps(result, default=repr))
    left = len(text) - MAX_RESULT
    return text if left <= 0 else f"{text[:MAX_RESULT]}\n[… {left} characters are left out …]"


async def ask_with_tools(
    model: Any,  # noqa: ANN401 (llm's base classes are untyped)
    arguments: Mapping[str, Any],
    steps: Steps,
    home: asyncio.AbstractEventLoop,
) -> ProviderResponse:
    """The answer of a model that may use tools, after the calls that it took.

    Args:
        model: llm's model.
        arguments: of its prompt, with `watched` tools.
        steps: go along.
        home: the loop that they live on.

    Raises:
        MemberError: a call failed, there is no answer after `MAX_STEPS` calls, or the budget does
            not allow the next one.
    """
    steps.begin()
    done: list[ProviderResponse] = []
    chain = model.conversation().chain(stream=False, chain_limit=0, **arguments)
    try:
        async for response in chain.responses():
            if done:
                await _before_another(len(done), steps, home)
            await response.text()
            calls = await response.tool_calls()
            done.append(_read_step(model, response, is_last=not calls))
    except MemberError as error:
        error.spent = total([*(each.spent for each in done), error.spent])
        error.tries = max(1, len(done))
        raise
    *earlier, last = done
    return replace(last, earlier=tuple(earlier))


async def _before_another(done: int, steps: Steps, home: asyncio.AbstractEventLoop) -> None:
    if done == MAX_STEPS:
        why = f"it used tools {MAX_STEPS} times without coming to an answer"
        raise MemberError(why, kind="tools", permanent=True)
    try:
        await _at(home, steps.before_call())
    except BudgetExceeded as error:
        why = f"it used a tool, and its next call was not made: {error}"
        raise MemberError(why, kind="budget", permanent=True) from error


def _read_step(model: Any, response: Any, *, is_last: bool) -> ProviderResponse:  # noqa: ANN401 (llm's)
    try:
        return read_response(model, response)
    except MemberError as error:
        if is_last or error.kind != "empty":
            raise
        return ProviderResponse(text="", spent=error.spent, finish_reason=None)
