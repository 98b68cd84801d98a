"""Estimates what a run would take, in calls and in money, before any call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.tool_use import MAX_STEPS
from consortium_mcp.core.prompts.attached import with_attachments
from consortium_mcp.core.reports.report import Plan
from consortium_mcp.core.spending.cost_range import cost_range
from consortium_mcp.core.spending.costs import no_price
from consortium_mcp.core.strategies import strategy_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.ask import CallPrice
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.strategies.waves import Calls

LONG_PROMPT = 8_000
"""Tokens above which a prompt may exceed a current model's context; llm does not know sizes."""


def estimate(
    run: Run, nested: Mapping[str, Plan], price: CallPrice = no_price
) -> tuple[Plan, tuple[str, ...]]:
    """The plan of a run, and warnings for its user.

    Args:
        run: a run that has not begun.
        nested: the plan of each member or arbiter that is a consortium, by its name.
        price: what a call costs.
    """
    config = run.config
    strategy = strategy_of(config)
    calls = strategy.calls(run)
    fewest, most = calls.fewest, calls.most + _inner_calls(run, calls, nested)
    questions = [
        with_attachments(strategy.question_for(member, run), run) for member in run.members
    ]
    tokens = [question.estimated_tokens for question in questions]
    longest = max(tokens)
    warnings = []
    if longest > LONG_PROMPT:
        warnings.append(
            f"The prompt has about {longest} tokens, and llm does not know the models' context "
            "sizes: check that it fits all of them."
        )
    most_calls = most if config.max_calls is None else min(most, config.max_calls)
    if fewest > most_calls:
        warnings.append(
            f"max_calls is {most_calls}, but the least that this panel needs is {fewest} calls: "
            "there will be no full verdict."
        )
    costs = cost_range(run, questions, nested, price)
    if config.max_cost is not None and (costs.least or 0) > config.max_cost:
        warnings.append(
            f"max_cost is ${config.max_cost:g}, but the least that this panel costs is about "
            f"${costs.least:.4f}: there will be no full verdict."
        )
    plan = Plan(
        fewest_calls=min(fewest, most_calls),
        most_calls=most_calls,
        calls=calls._asdict(),
        estimated_input_tokens=sum(tokens),
        least_cost_usd=_at_most(costs.least, config.max_cost),
        most_cost_usd=_at_most(costs.most, config.max_cost),
        priced_calls=min(costs.priced, most_calls),
    )
    return plan, tuple(warnings)


def _inner_calls(run: Run, calls: Calls, nested: Mapping[str, Plan]) -> int:
    """The most calls besides those that the strategy counts.

    It counts a nested consortium, and a member that uses tools, as one call for each answer; an
    arbiter may be asked for a repair.
    """
    config = run.config
    alone = MAX_STEPS if config.tools else 1
    answers, reviews = (
        math.ceil(each[1] / (config.max_iterations * len(run.members)))
        for each in (calls.answers, calls.reviews)
    )
    inner = {name: plan.most_calls for name, plan in nested.items()}
    more = sum((answers + reviews) * (inner.get(member.model, 1) - 1) for member in run.members)
    more += sum(answers * (alone - 1) for member in run.members if member.model not in inner)
    more += sum(2 * (inner.get(model, 1) - 1) for model in (config.arbiter, *config.arbiters))
    return config.max_iterations * more


def _at_most(amount: float | None, limit: float | None) -> float | None:
    return amount if amount is None or limit is None else min(amount, limit)
