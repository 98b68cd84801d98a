"""What a run would cost, before anyone is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.report import Plan
from consortium_mcp.core.engine.budget import estimated_tokens
from consortium_mcp.core.strategies import get_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.run import Run

LONG_PROMPT = 8_000
"""Tokens from which a prompt may not fit every current model's context; llm does not know sizes."""


def estimate(run: Run, nested: Mapping[str, int]) -> tuple[Plan, tuple[str, ...]]:
    """The plan of a run, and what its user should know before it begins.

    Args:
        run: a run that has not begun.
        nested: the members and arbiters that are consortiums, with the most calls of each.
    """
    config = run.config
    strategy = get_strategy(config.strategy)
    least, bound = strategy.calls(run)
    # A nested consortium is one call of these; an arbiter may be asked for a repair.
    inner = [nested.get(member.model, 1) - 1 for member in run.members]
    inner += [2 * (nested.get(model, 1) - 1) for model in (config.arbiter, *config.arbiters)]
    bound += config.max_iterations * sum(inner)
    questions = [strategy.question_for(member, run) for member in run.members]
    tokens = sum(estimated_tokens(q.prompt, q.system) for q in questions)
    longest = max(estimated_tokens(q.prompt, q.system) for q in questions)
    warnings = []
    if longest > LONG_PROMPT:
        warnings.append(
            f"The prompt has about {longest} tokens, and llm does not know the models' context "
            "sizes: check that it fits all of them."
        )
    most_calls = bound if config.max_calls is None else min(bound, config.max_calls)
    if least > most_calls:
        warnings.append(
            f"max_calls is {most_calls}, but the least that this panel needs is {least} calls: "
            "there will be no full verdict."
        )
    plan = Plan(
        fewest_calls=min(least, most_calls),
        most_calls=most_calls,
        estimated_input_tokens=tokens,
    )
    return plan, tuple(warnings)
