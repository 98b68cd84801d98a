"""The arguments of the MCP tools: a consortium's settings, and the few that tools share besides."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field

from consortium_mcp.adapters.entry_points import strategy_names
from consortium_mcp.core.domain.request import SETTINGS, ConsortiumSettings
from consortium_mcp.core.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

R = TypeVar("R")

RunId = Annotated[str, Field(description="From a report or list_runs.")]
WaitSeconds = Annotated[float | None, Field(description="How long to wait; the run goes on.")]


def with_settings(
    *names: str, told_elsewhere: Collection[str] = ()
) -> Callable[[Callable[..., Awaitable[R]]], Callable[..., Awaitable[R]]]:
    """Give a tool an argument for each of these settings; it gets them as one `settings`.

    The SDK makes a tool's schema from its signature, so `settings` is taken out of that and the
    single ones are put in its place.

    Args:
        names: fields of `ConsortiumSettings`.
        told_elsewhere: those that another tool describes; once in a list of tools is enough.
    """

    def decorate(tool: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
        @functools.wraps(tool)
        async def wrapped(**arguments: Any) -> R:  # noqa: ANN401 (as the signature below says)
            given = {name: arguments.pop(name) for name in names if name in arguments}
            return await tool(**arguments, settings=ConsortiumSettings(**given))

        signature = inspect.signature(tool, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            if parameter.name == "settings":
                parameters += [_parameter(name, told=name in told_elsewhere) for name in names]
            else:
                parameters.append(parameter)
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _parameter(name: str, *, told: bool) -> inspect.Parameter:
    setting = SETTINGS[name]
    annotation = setting.annotation
    if told:
        annotation = setting.plain
    elif name in _MORE:
        text = f"{setting.description} {_MORE[name]}"
        annotation = Annotated[annotation, Field(description=text)]
    elif setting.default is not None:
        text = f"{setting.description} Default {setting.default}."
        annotation = Annotated[annotation, Field(description=text)]
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=annotation)


_MORE = {
    "models": "Ids: list_models.",
    "strategy": "Default auto. "
    + " ".join(f"{name}: {each.description}" for name, each in STRATEGIES.items())
    + "".join(f" {name}: of an installed package." for name in strategy_names()),
}
"""What only a calling model needs to be told besides."""
