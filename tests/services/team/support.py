"""A process of a team with the panel of `tests.support.panels`, in the test's own process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from consortium_mcp.services.workers.opening import Team, open_team
from tests.support.fakes import FakeAsk, reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.adapters.settings import Settings


@asynccontextmanager
async def opened(
    settings: Settings, *, work: bool = True, **script: Any  # noqa: ANN401
) -> AsyncIterator[tuple[Team, FakeAsk]]:  # fmt: skip
    said = {"a": reply("42", 0.9), "b": reply("42", 0.9), "judge": verdict()}
    ask = FakeAsk(**said | script)
    async with (
        anyio.create_task_group() as group,
        open_team(settings, group, work=work, ask=ask) as team,
    ):
        yield team, ask
