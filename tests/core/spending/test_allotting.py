from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.domain.errors import BudgetError
from consortium_mcp.core.spending.allotting import Want, allotted, told
from consortium_mcp.core.spending.limits import Limit, Period, Standing, What, Who

if TYPE_CHECKING:
    from random import Random

NOW = datetime(2026, 11, 29, 13, 30, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 30, tzinfo=UTC)


def standing(  # noqa: PLR0917 (as they are read)
    what: What,
    most: float,
    used: float = 0,
    reserved: float = 0,
    who: Who = "each",
    period: Period = "day",
) -> Standing:
    return Standing(
        limit=Limit(who=who, period=period, what=what, most=most),
        used=used,
        reserved=reserved,
        now=NOW,
        renewed_at=None if period == "now" else TOMORROW,
    )


def test_the_worst_case_is_set_aside_where_it_fits() -> None:
    assert allotted([standing("calls", 60, 40)], {"calls": Want(12, 4)}) == {"calls": 12}


def test_all_that_is_left_is_where_it_covers_an_iteration() -> None:
    limits = [standing("calls", 60, 40, 10), standing("calls", 1000, who="everybody")]
    assert allotted(limits, {"calls": Want(12, 4)}) == {"calls": 10}


def test_what_is_not_limited_or_not_wanted_is_free() -> None:
    assert allotted([], {"calls": Want(12, 4)}) == {}
    assert allotted([standing("calls", 0)], {}) == {}


def test_half_a_call_is_none() -> None:
    assert allotted([standing("calls", 4.5)], {"calls": Want(12, 4)}) == {"calls": 4}
    assert allotted([standing("dollars", 4.5)], {"dollars": Want(12, 4)}) == {"dollars": 4.5}


def test_the_refusal_says_how_much_of_what_and_when() -> None:
    with pytest.raises(BudgetError) as refused:
        allotted([standing("calls", 60, 46, 12)], {"calls": Want(12, 4)})
    assert str(refused.value) == (
        "2 calls are left of 60 calls for you today (12 calls are set aside for runs under way), "
        "and one round of this panel may take 4 calls; no model was called. It is counted anew at "
        "2026-11-30 00:00 UTC, in 11 hours. Ask fewer or cheaper models, wait until then, or ask "
        "your admin to raise it."
    )


def test_the_last_hour_is_one() -> None:
    late = standing("tokens", 1).model_copy(update={"now": TOMORROW - timedelta(minutes=5)})
    with pytest.raises(BudgetError, match="in 1 hour"):
        allotted([late], {"tokens": Want(9, 3)})


def test_a_limit_without_an_end_says_none() -> None:
    with pytest.raises(BudgetError, match=r"no model was called\. Ask fewer"):
        allotted([standing("calls", 1, period="now")], {"calls": Want(9, 3)})


def test_nothing_left_is_refused_even_where_the_price_is_not_known() -> None:
    with pytest.raises(BudgetError, match=r"\$0 are left of \$5 for all users together this mon"):
        allotted(
            [standing("dollars", 5, 5, who="everybody", period="month")], {"dollars": Want(0, 0)}
        )


@pytest.mark.parametrize(
    ("who", "under_way", "said"),
    [
        ("each", 1, "You have 1 run under way, and 1 at once is the most"),
        ("everybody", 3, "All users together have 3 runs under way, and 1 at once"),
    ],
)
def test_too_many_runs_at_once_are_refused(who: Who, under_way: int, said: str) -> None:
    with pytest.raises(BudgetError, match=said):
        allotted([standing("runs", 1, 0, under_way, who, "now")], {})
    assert allotted([standing("runs", under_way + 1, 0, under_way, who, "now")], {}) == {}


@pytest.mark.parametrize(
    ("what", "amount", "text"),
    [
        ("calls", 1, "1 call"), ("tokens", 20000, "20,000 tokens"), ("dollars", 1.5, "$1.5"),
        ("dollars", 1000, "$1,000"), ("dollars", 0.00001, "$0"), ("runs", 2, "2 runs"),
    ],
)  # fmt: skip
def test_amounts_are_told_as_people_read_them(what: str, amount: float, text: str) -> None:
    assert told(what, amount) == text


amounts = st.integers(0, 50)


@given(
    st.integers(0, 100),
    st.lists(st.tuples(amounts, amounts, st.floats(0, 1)), max_size=30),
    st.randoms(use_true_random=False),
)
def test_no_order_of_beginnings_and_ends_exceeds_a_limit(
    most: int, runs: list[tuple[int, int, float]], random: Random
) -> None:
    """A run that was admitted uses a part of what was set aside for it, and ends at any time."""
    used = 0
    under_way: list[tuple[int, int]] = []
    for worst, iteration, share in runs:
        here = standing("calls", most, used, sum(each for each, _ in under_way))
        try:
            given_to_it = allotted([here], {"calls": Want(worst, iteration)})["calls"]
        except BudgetError:
            assert here.left < iteration or here.left == 0
        else:
            under_way.append((int(given_to_it), int(given_to_it * share)))
        if under_way and random.random() < 0.5:
            used += under_way.pop(random.randrange(len(under_way)))[1]
        assert used + sum(each for each, _ in under_way) <= most
