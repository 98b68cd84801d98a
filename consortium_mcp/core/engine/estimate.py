"""Estimates what a run would cost, before any call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.report import Plan
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.strategies import get_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.run import Run

LONG_PROMPT = 8_000
"""Tokens above which a prompt may exceed a current model's context; llm does not know sizes."""


def estimate(run: Run, nested: Mapping[str, int]) -> tuple[Plan, tuple[str, ...]]:
    """The plan of a run, and warnings for its user.

    Args:
        run: a run that has not begun.
        nested: the most calls of each member or arbiter that is a consortium, by its name.
    """
    config = run.config
    strategy = get_strategy(config.strategy)
    calls = strategy.calls(run)
    fewest, most = calls.fewest, calls.most
    # The bound counts a nested consortium as one call; an arbiter may be asked for a repair.
    asked = 1 + math.ceil(calls.reviews[1] / (config.max_iterations * len(run.members)))
    extra = [asked * (nested.get(member.model, 1) - 1) for member in run.members]
    extra += [2 * (nested.get(model, 1) - 1) for model in (config.arbiter, *config.arbiters)]
    most += config.max_iterations * sum(extra)
    questions = [strategy.question_for(member, run) for member in run.members]
    tokens = sum(estimated_tokens(q.prompt, q.system) for q in questions)
    longest = max(estimated_tokens(q.prompt, q.system) for q in questions)
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
    plan = Plan(
        fewest_calls=min(fewest, most_calls),
        most_calls=most_calls,
        calls=calls._asdict(),
        estimated_input_tokens=tokens,
    )
    return plan, tuple(warnings)
