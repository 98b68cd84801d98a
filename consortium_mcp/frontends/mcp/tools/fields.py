"""Arguments that MCP tools share: the settings of a consortium, and a few others."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field

from consortium_mcp.adapters.entry_points import strategy_names
from consortium_mcp.core.domain.request import SETTINGS, ConsortiumSettings
from consortium_mcp.core.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

R = TypeVar("R")

RunId = Annotated[str, Field(description="Its id, its URI, or `latest`.")]
WaitSeconds = Annotated[float | None, Field(description="How long to wait; the run goes on.")]


def with_settings(
    *names: str, briefly: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Awaitable[R]]], Callable[..., Awaitable[R]]]:
    """Give a tool one argument per setting, and pass them to it as one `settings`.

    The SDK derives a tool's schema from its signature, so the signature gets these arguments in
    place of `settings`.

    Args:
        names: fields of `ConsortiumSettings`.
        briefly: descriptions of those that another tool describes in full.
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
                parameters += [_parameter(name, (briefly or {}).get(name)) for name in names]
            else:
                parameters.append(parameter)
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _parameter(name: str, briefly: str | None) -> inspect.Parameter:
    setting = SETTINGS[name]
    annotation = setting.annotation
    if briefly is not None:
        annotation = Annotated[annotation, Field(description=briefly)]
    elif name in _ADDED:
        text = f"{setting.description} {_ADDED[name]}"
        annotation = Annotated[annotation, Field(description=text)]
    elif setting.default is not None:
        text = f"{setting.description} Default {setting.default}."
        annotation = Annotated[annotation, Field(description=text)]
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=annotation)


_ADDED = {
    "models": "Ids: list_models.",
    "strategy": "Default auto. "
    + " ".join(f"{name}: {each.description}" for name, each in STRATEGIES.items())
    + "".join(f" {name}: of an installed package." for name in strategy_names()),
}
"""Additions to a setting's description that only the calling model needs."""
