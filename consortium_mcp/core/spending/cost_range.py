"""What a run may cost in money, from the least to the most, before any call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.core.domain.tool_use import MAX_STEPS
from consortium_mcp.core.spending.costs import USUAL_REPLY, reply_tokens
from consortium_mcp.core.strategies import strategy_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.ask import CallPrice, Question
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.reports.report import Plan

SHORTEST_REPLY = 20
"""Tokens of the shortest reply that has what is asked for: an answer and a confidence in tags."""


class CostRange(NamedTuple):
    """US dollars for calls whose price is known; `None` where none is."""

    least: float | None
    most: float | None
    priced: int
    """How many of the most calls those are."""


def cost_range(
    run: Run, questions: Sequence[Question], nested: Mapping[str, Plan], price: CallPrice
) -> CostRange:
    """What a run may cost.

    Which calls a strategy makes is not known, only how many: the least is that of the cheapest so
    many, and the most that of the dearest.

    Args:
        run: a run that has not begun.
        questions: the first to each member.
        nested: the plan of each member or arbiter that is a consortium, by its name.
        price: what a call costs.
    """
    config = run.config
    bounds = strategy_of(config).calls(run)
    fewest, most = bounds.fewest, bounds.most
    if config.tools:
        most += bounds.answers[1] * (MAX_STEPS - 1)
    most = min(most, config.max_calls or most)
    calls = [_cost_of(call, nested, price) for call in _possible_calls(run, questions)]
    least = sum(sorted(call.least or 0.0 for call in calls)[:fewest])
    # Those of unknown price first: rather too few calls count as priced than too many.
    dearest = sorted(calls, key=lambda c: float("-inf") if c.most is None else -c.most)[:most]
    known = [call.most for call in dearest if call.most is not None]
    if not known:
        return CostRange(None, None, 0)
    priced = sum(call.priced for call in dearest)
    return CostRange(round(min(least, sum(known)), 6), round(sum(known), 6), priced)


class _Call(NamedTuple):
    """A call that may be made, with the tokens that it may have."""

    model: str
    least_sent: int
    most_sent: int
    received: int
    """At most."""


def _possible_calls(run: Run, questions: Sequence[Question]) -> list[_Call]:
    """Every call that may be made."""
    config = run.config
    prompts = [question.estimated_tokens for question in questions]
    bounds = strategy_of(config).calls(run)
    times = math.ceil(bounds.answers[1] / (config.max_iterations * len(run.members)))
    steps = times * (MAX_STEPS if config.tools else 1)
    answers = sum(map(reply_tokens, questions))
    found: list[_Call] = []
    for number in range(config.max_iterations):
        # Later prompts may hold the verdict so far and the answers of the others.
        more = answers + USUAL_REPLY if number or times > 1 else 0
        found += [
            _Call(question.model, sent, sent + more, reply_tokens(question))
            for question, sent in zip(questions, prompts, strict=True)
            for _ in range(steps)
        ]
    judged = max(prompts) + answers
    for models, calls in (
        ([question.model for question in questions], bounds.reviews[1]),
        ([config.arbiter, *config.arbiters], bounds.verdicts[1]),
    ):
        found += [
            _Call(models[place % len(models)], min(prompts), judged, USUAL_REPLY)
            for place in range(calls)
        ]
    return found


def _cost_of(call: _Call, nested: Mapping[str, Plan], price: CallPrice) -> CostRange:
    """What one call may cost, to a model or to a consortium."""
    if (plan := nested.get(call.model)) is not None:
        return CostRange(plan.least_cost_usd, plan.most_cost_usd, plan.priced_calls)
    most = price(call.model, call.most_sent, call.received)
    least = price(call.model, call.least_sent, min(SHORTEST_REPLY, call.received))
    return CostRange(least, most, int(most is not None))
