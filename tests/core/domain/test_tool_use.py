from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.core.domain.errors import BudgetExceeded
from consortium_mcp.core.domain.tool_use import PlainSteps, WatchedSteps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.tool_use import RunTool

pytestmark = pytest.mark.anyio


class Noting:
    """Steps that note what passes them."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def begin(self) -> None:
        self.noted.append("begin")

    async def before_call(self) -> None:
        self.noted.append("call")

    async def use(self, name: str, arguments: Mapping[str, Any], run: RunTool) -> str:  # noqa: ARG002
        self.noted.append(name)
        return await run()


async def tool() -> str:
    return "42"


async def test_plain_steps_only_run_the_tool() -> None:
    steps = PlainSteps()
    steps.begin()
    await steps.before_call()
    assert await steps.use("answer", {}, tool) == "42"


async def test_watched_steps_are_asked_before_each_further_call_and_pass_the_rest_on() -> None:
    inner, watched = Noting(), []

    async def watch() -> None:
        watched.append("watch")

    steps = WatchedSteps(inner, watch)
    steps.begin()
    await steps.before_call()
    assert await steps.use("answer", {}, tool) == "42"
    assert (watched, inner.noted) == (["watch"], ["begin", "call", "answer"])


async def test_a_call_that_is_refused_is_not_passed_on() -> None:
    inner = Noting()

    async def refuse() -> None:
        raise BudgetExceeded("max_calls is 1")

    with pytest.raises(BudgetExceeded):
        await WatchedSteps(inner, refuse).before_call()
    assert inner.noted == []
