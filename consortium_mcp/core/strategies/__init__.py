"""Strategies decide who is asked, what they are asked, and how their answers become a verdict.

Each strategy is one small file that implements the `Strategy` protocol, and is listed here by name.
Other packages can add their own: see `register`, and `examples/own_strategy` for a complete one.
Begin with `vote`, the simplest; shared code is in `waves` and in `core.judging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies.auto import Auto
from consortium_mcp.core.strategies.council import Council
from consortium_mcp.core.strategies.debate import Debate
from consortium_mcp.core.strategies.elimination import Elimination
from consortium_mcp.core.strategies.objects import Objects
from consortium_mcp.core.strategies.rank import Rank
from consortium_mcp.core.strategies.roles import Roles
from consortium_mcp.core.strategies.synthesis import Synthesis
from consortium_mcp.core.strategies.tally import Tally
from consortium_mcp.core.strategies.verify import Verify
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict
    from consortium_mcp.core.strategies.waves import Calls


class Strategy(Protocol):
    """One way to reach a verdict. It is stateless: everything it knows is in the run."""

    description: str
    """One line for people and for the tool's schema."""

    asks_in_waves: bool
    """Whether `sampling` and `escalate_to` apply: answers are independent, so some can be spared.
    Such a strategy calls `waves.in_waves` to choose the next members."""

    weighs: bool
    """Whether an arbiter weighs arguments, for which a demo model is too small."""

    def calls(self, run: Run) -> Calls:
        """The fewest and the most calls of a run that has not begun, by their kind."""
        ...

    def next_wave(self, run: Run, responses: Sequence[Response]) -> Sequence[Member]:
        """The members to ask next, given the iteration's responses so far; empty when done."""
        ...

    def question_for(self, member: Member, run: Run) -> Question:
        """What to ask this member; `run.unjudged` holds the responses of earlier waves."""
        ...

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """Reach a verdict on the iteration's responses, at least one of which is answered."""
        ...

    def another_pays(self, run: Run) -> bool:
        """Whether the members would learn anything new in another iteration."""
        ...


STRATEGIES: dict[str, Strategy] = {
    "auto": Auto(),
    "synthesis": Synthesis(),
    "vote": Vote(),
    "rank": Rank(),
    "elimination": Elimination(),
    "roles": Roles(),
    "debate": Debate(),
    "council": Council(),
    "verify": Verify(),
    "tally": Tally(),
}


def register(name: str, strategy: Strategy) -> None:
    """Add your own strategy.

    Raises:
        UnknownStrategy: another strategy has this name, or a part of the protocol is missing.
    """
    if name in STRATEGIES and type(STRATEGIES[name]) is not type(strategy):
        raise UnknownStrategy(f"A strategy {name!r} exists already. Give yours another name.")
    parts = (*Strategy.__annotations__, *(n for n in vars(Strategy) if not n.startswith("_")))
    if missing := [part for part in parts if not hasattr(strategy, part)]:
        raise UnknownStrategy(f"The strategy {name!r} lacks {', '.join(missing)}.")
    STRATEGIES[name] = strategy


_JUDGED_OBJECTS, _COUNTED_OBJECTS = Objects(arbitrated=True), Objects(arbitrated=False)


def strategy_of(config: ConsortiumConfig) -> Strategy:
    """The strategy of this configuration: its own, or that for objects where it has a schema.

    Raises:
        UnknownStrategy: no strategy has its name.
    """
    own = get_strategy(config.strategy)
    if config.json_schema is None:
        return own
    return _JUDGED_OBJECTS if own.weighs else _COUNTED_OBJECTS


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
