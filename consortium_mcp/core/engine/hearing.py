"""Hear one wave of members: all of them, or a quorum and its grace."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.engine.events import Heard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.verdict import Response


class Hearing:
    """The responses of one wave, as they come in.

    Args:
        iteration: its number.
        config: says how many answers are enough, and how long the others are waited for then.
        before: the responses of the iteration's earlier waves.
        asked: members asked in this iteration, those of this wave included.
    """

    def __init__(
        self, iteration: int, config: ConsortiumConfig, before: tuple[Response, ...], asked: int
    ) -> None:
        self._iteration = iteration
        self._config = config
        self._before = before
        self._asked = asked
        self._landed: dict[str, Response] = {}
        self._changed = anyio.Event()
        self._grace_ends = math.inf
        self._over = False

    def take(self, response: Response) -> Heard | None:
        """A response is in: where the wave stands now, or `None` if nobody waits any more."""
        if self._over:
            return None
        self._landed[response.label] = response
        answered = sum(each.answered for each in self._heard())
        if answered >= quorum_size(self._config, self._asked):
            grace = self._config.straggler_grace
            self._grace_ends = min(self._grace_ends, anyio.current_time() + grace)
        self._changed.set()
        self._changed = anyio.Event()
        failed = len(self._heard()) - answered
        return Heard(self._iteration, answered, failed, self._asked, response)

    async def until_enough(
        self, count: int, *, ends: float, deadline: float
    ) -> dict[str, Response]:
        """Wait for so many responses, or as long as that pays.

        Args:
            count: members of this wave that were asked.
            ends: when hearing ends once somebody has answered, in the event loop's time.
            deadline: when it ends in any case.

        Returns:
            What is in, by label. What comes later is not taken.
        """
        while len(self._landed) < count:
            answered = any(response.answered for response in self._heard())
            until = min(self._grace_ends, ends if answered else deadline)
            with anyio.CancelScope(deadline=until) as waiting:
                await self._changed.wait()
            if waiting.cancelled_caught:
                break
        self._over = True
        return self._landed

    def _heard(self) -> tuple[Response, ...]:
        return (*self._before, *self._landed.values())


def quorum_size(config: ConsortiumConfig, asked: int) -> float:
    """How many answers are enough to go on without the others."""
    return math.inf if config.quorum is None else math.ceil(config.quorum * asked - 1e-9)


def quorum_missed(config: ConsortiumConfig, responses: Sequence[Response]) -> bool:
    """Whether fewer members answered than the quorum asks for."""
    if config.quorum is None:
        return False
    return sum(r.answered for r in responses) < quorum_size(config, len(responses))
