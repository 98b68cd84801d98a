"""Who speaks, what they are asked, and how their answers become a verdict.

One small file for each strategy, all behind the `Strategy` Protocol, listed here by name. Another
package can add its own: see `register`, and `examples/own_strategy` for a whole one. Begin with
`vote`, the simplest; what they share is in `waves` and in `core.judging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies.auto import Auto
from consortium_mcp.core.strategies.debate import Debate
from consortium_mcp.core.strategies.elimination import Elimination
from consortium_mcp.core.strategies.rank import Rank
from consortium_mcp.core.strategies.roles import Roles
from consortium_mcp.core.strategies.synthesis import Synthesis
from consortium_mcp.core.strategies.tally import Tally
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict


class Strategy(Protocol):
    """One way to come to a verdict. Stateless: all it knows is in the run."""

    description: str
    """One line for people and for the tool's schema."""

    asks_in_waves: bool
    """Whether `sampling` and `escalate_to` apply: answers are independent, so some can be spared.
    A strategy that says so asks `members.in_waves` who is next."""

    weighs: bool
    """Whether an arbiter weighs arguments: then a demo model is too small for it."""

    def calls(self, run: Run) -> tuple[int, int]:
        """The fewest and the most calls of a run that has not begun, retries not counted."""
        ...

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """Who speaks next in this iteration, given its responses so far; empty when done."""
        ...

    def question_for(self, member: Member, run: Run) -> Question:
        """What this member is asked; `run.unjudged` holds what earlier waves have said."""
        ...

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """Turn the iteration's responses, of which one answered at least, into a verdict."""
        ...

    def another_pays(self, run: Run) -> bool:
        """Whether one more iteration would tell its members anything new."""
        ...


STRATEGIES: dict[str, Strategy] = {
    "auto": Auto(),
    "synthesis": Synthesis(),
    "vote": Vote(),
    "rank": Rank(),
    "elimination": Elimination(),
    "roles": Roles(),
    "debate": Debate(),
    "tally": Tally(),
}


def register(name: str, strategy: Strategy) -> None:
    """Add a strategy of one's own.

    Raises:
        UnknownStrategy: another one has this name already, or something is missing of it.
    """
    if name in STRATEGIES and type(STRATEGIES[name]) is not type(strategy):
        raise UnknownStrategy(f"A strategy {name!r} exists already. Give yours another name.")
    parts = (*Strategy.__annotations__, *(n for n in vars(Strategy) if not n.startswith("_")))
    if missing := [part for part in parts if not hasattr(strategy, part)]:
        raise UnknownStrategy(f"The strategy {name!r} lacks {', '.join(missing)}.")
    STRATEGIES[name] = strategy


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
