"""Tools that members may use on the way to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from consortium_mcp.core.domain.values import Value

MAX_STEPS = 10
"""Calls of one member for one answer, tools in between; as many as llm's own chains have."""
RunTool = Callable[[], Awaitable[str]]


class ToolUse(Value):
    """One use of a tool, and what came of it. A resumed run does not run it again."""

    iteration: int
    role: str
    label: str
    attempt: int
    name: str
    arguments: str
    """JSON, keys sorted."""
    repeat: int
    """1, or which time it was that this call used the tool with these arguments."""
    result: str
    seconds: float
    created_at: str
    """ISO 8601, UTC."""

    @property
    def key(self) -> tuple[int, str, str, int, str, str, int]:
        """Its key within its run."""
        call = (self.iteration, self.role, self.label, self.attempt)
        return (*call, self.name, self.arguments, self.repeat)


class Steps(Protocol):
    """Goes along with a call that may use tools, as `Ask` does with a call that may not."""

    def begin(self) -> None:
        """The model is asked from the beginning: for the first time, or once more."""
        ...

    async def before_call(self) -> None:
        """Before the model is called once more, with what its tools answered.

        Raises:
            BudgetExceeded: that would exceed a limit.
        """
        ...

    async def use(self, name: str, arguments: Mapping[str, Any], run: RunTool) -> str:
        """What the tool answers: as it is recorded, or by running it."""
        ...


class PlainSteps:
    """Nothing is counted or recorded."""

    def begin(self) -> None:
        """See `Steps`."""

    async def before_call(self) -> None:
        """See `Steps`."""

    async def use(self, name: str, arguments: Mapping[str, Any], run: RunTool) -> str:  # noqa: ARG002 (see `Steps`)
        """See `Steps`."""
        return await run()


class WatchedSteps:
    """Steps with something to be done before each further call.

    Args:
        inner: the steps.
        before_call: is awaited first, and may refuse the call.
    """

    def __init__(self, inner: Steps, before_call: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._before_call = before_call
        self.begin = inner.begin
        self.use = inner.use

    async def before_call(self) -> None:
        """See `Steps`."""
        await self._before_call()
        await self._inner.before_call()
