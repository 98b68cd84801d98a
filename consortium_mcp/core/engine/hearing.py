"""Collects one wave's responses: all of them, or a quorum and what arrives in its grace period."""

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
    """The responses of one wave, as they arrive.

    Args:
        iteration: the number of the iteration.
        config: its `quorum` and `straggler_grace` say when to stop waiting.
        before: the responses of the iteration's earlier waves.
        asked: number of members asked in this iteration, including this wave.
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
        self._quorum_at = math.inf
        self._grace_ends = math.inf
        self.is_over = False
        """Whether nobody waits for responses any more."""

    def take(self, response: Response) -> Heard | None:
        """Take in a response; returns the event to emit, or `None` if hearing is over."""
        if self.is_over:
            return None
        self._landed[response.label] = response
        answered = sum(each.answered for each in self._heard())
        if answered >= self._config.quorum_of(self._asked):
            self._quorum_at = min(self._quorum_at, anyio.current_time())
            self._grace_ends = self._quorum_at + self._grace()
        self._changed.set()
        self._changed = anyio.Event()
        failed = len(self._heard()) - answered
        return Heard(self._iteration, answered, failed, self._asked, response)

    async def until_enough(
        self, count: int, *, ends: float, deadline: float
    ) -> dict[str, Response]:
        """Wait for this many responses, for the quorum and its grace, or until time is up.

        Args:
            count: number of members of this wave that were asked.
            ends: when to stop waiting once a member has answered, in the event loop's time.
            deadline: when to stop waiting in any case.

        Returns:
            The responses so far, by label. `take` ignores later ones.
        """
        while len(self._landed) < count:
            answered = any(response.answered for response in self._heard())
            until = min(self._grace_ends, ends if answered else deadline)
            with anyio.CancelScope(deadline=until) as waiting:
                await self._changed.wait()
            if waiting.cancelled_caught:
                break
        self.is_over = True
        return self._landed

    def _grace(self) -> float:
        """Seconds for the others."""
        heard = {response.label for response in self._heard()}
        return self._config.grace_for(
            member.model for member in self._config.members if member.label not in heard
        )

    def _heard(self) -> tuple[Response, ...]:
        return (*self._before, *self._landed.values())


def quorum_missed(config: ConsortiumConfig, responses: Sequence[Response]) -> bool:
    """Whether fewer members answered than the quorum requires."""
    if config.quorum is None:
        return False
    return sum(r.answered for r in responses) < config.quorum_of(len(responses))
