"""Who speaks, what they are asked, and how their answers become a verdict.

One small file for each strategy, all behind the `Strategy` Protocol, listed here by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consortium_mcp.core.errors import UnknownStrategy
from consortium_mcp.core.strategies.synthesis import Synthesis
from consortium_mcp.core.strategies.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.models import (
        ConsortiumConfig,
        Member,
        Question,
        Response,
        Run,
        Verdict,
    )


class Strategy(Protocol):
    """One way to come to a verdict. Stateless: all it knows is in the run."""

    description: str
    """One line for people and for the tool's schema."""

    members_learn: bool
    """Whether a further iteration tells the members anything new; if not, it would not pay."""

    def arbiter_calls(self, config: ConsortiumConfig) -> tuple[int, int]:
        """The fewest and the most calls that judging one iteration takes, retries not counted."""
        ...

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """Who speaks next in this iteration, given its responses so far; empty when done."""
        ...

    def question_for(self, member: Member, run: Run) -> Question:
        """What this member is asked in the run's next iteration."""
        ...

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """Turn the iteration's responses, of which one answered at least, into a verdict."""
        ...


STRATEGIES: dict[str, Strategy] = {"synthesis": Synthesis(), "tally": Tally()}


def get_strategy(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        UnknownStrategy: no strategy has this name; the message lists all.
    """
    try:
        return STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(
            f"Unknown strategy {name!r}. Choose one of: {', '.join(STRATEGIES)}."
        ) from None
