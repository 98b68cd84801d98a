"""What a run may cost, before any call."""

from __future__ import annotations

import pytest

from consortium_mcp.core.reports.report import Plan
from consortium_mcp.core.spending.cost_range import SHORTEST_REPLY
from consortium_mcp.core.spending.costs import USUAL_REPLY
from consortium_mcp.core.spending.estimate import estimate
from tests.support.fakes import run_of


def price(model: str, sent: int, received: int) -> float | None:
    """A dollar for a token out; models in capitals have no price."""
    return None if model.isupper() else sent * 0 + float(received)


def test_the_least_is_of_short_replies_and_the_most_of_long_ones_and_repairs() -> None:
    plan, warnings = estimate(run_of("a", "b", max_iterations=2), {}, price)
    assert (plan.fewest_calls, plan.most_calls, plan.priced_calls) == (3, 8, 8)
    assert plan.least_cost_usd == 3 * SHORTEST_REPLY
    assert plan.most_cost_usd == 8 * USUAL_REPLY
    assert warnings == ()


@pytest.mark.parametrize(("strategy", "most"), [("vote", 2), ("tally", 3), ("elimination", 4)])
def test_as_many_calls_count_as_the_strategy_may_make(strategy: str, most: int) -> None:
    plan, _ = estimate(run_of("a", "b", max_iterations=1, strategy=strategy), {}, price)
    assert plan.most_cost_usd == most * USUAL_REPLY


def test_limits_bound_the_most_and_what_they_leave_no_room_for_is_told() -> None:
    few, _ = estimate(run_of("a", "b", max_calls=3), {}, price)
    assert few.most_cost_usd == 3 * USUAL_REPLY
    cheap, told = estimate(run_of("a", "b", max_cost=50), {}, price)
    assert (cheap.least_cost_usd, cheap.most_cost_usd) == (50, 50)
    [warning] = told
    assert "max_cost is $50, but the least that this panel costs is about $60.0000" in warning


def test_what_has_no_price_is_left_out_and_counted_as_such() -> None:
    plan, _ = estimate(run_of("a", "B", max_iterations=1), {}, price)
    assert (plan.most_calls, plan.priced_calls) == (4, 3)
    assert plan.most_cost_usd == 3 * USUAL_REPLY
    plan, _ = estimate(run_of("A", "B", arbiter="C", max_cost=1), {}, price)
    assert (plan.least_cost_usd, plan.most_cost_usd, plan.priced_calls) == (None, None, 0)


def test_a_consortium_costs_what_its_own_plan_says() -> None:
    inner = Plan(
        fewest_calls=3, most_calls=6, estimated_input_tokens=1, least_cost_usd=7,
        most_cost_usd=9_000, priced_calls=5,
    )  # fmt: skip
    plan, _ = estimate(run_of("inner", "a", max_iterations=1), {"inner": inner}, price)
    assert (plan.most_calls, plan.priced_calls) == (9, 8)
    assert plan.most_cost_usd == 9_000 + 3 * USUAL_REPLY
