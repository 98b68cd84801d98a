"""`max_cost`: what may be spent, what is set aside, and what is refused."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.values import Spending
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.spending.costs import USUAL_REPLY
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


def price(model: str, sent: int, received: int) -> float | None:
    """A tenth of a cent for a token out, nothing for one in; models in capitals have no price."""
    return None if model.isupper() else sent * 0 + received * 0.001


class Priced(FakeAsk):
    """Replies of a given length, at that price where the model has one."""

    def __init__(self, length: int, **script: Any) -> None:  # noqa: ANN401
        super().__init__(**script)
        self.length = length
        self.told: float | None = None
        self.released: anyio.Event | None = None

    async def __call__(self, question: Question, /) -> Reply:
        if self.released is not None:
            await self.released.wait()
        said = await super().__call__(question)
        cost = self.told or price(question.model, 0, self.length)
        return said.model_copy(
            update={
                "output_tokens": self.length,
                "cost_usd": cost,
                "priced_calls": int(cost is not None),
            }
        )


def question(model: str = "a", **more: Any) -> Question:  # noqa: ANN401
    values = {"role": "member", "label": "A", "prompt": "?", "iteration": 1, "timeout": 9}
    return Question.model_validate(values | {"model": model} | more)


USUAL = USUAL_REPLY * 0.001
THREE = 3


async def test_a_first_call_is_taken_to_have_a_long_reply() -> None:
    ask = Priced(100, a="42")
    with pytest.raises(BudgetExceeded, match=r"max_cost is \$1.99; .*: raise max_cost, or ask"):
        await Budget(ask, max_cost=1.99, price=price)(question())
    assert ask.questions == []
    await Budget(ask, max_cost=USUAL, price=price)(question())


async def test_later_ones_are_taken_to_be_as_long_as_the_longest_so_far() -> None:
    budget = Budget(Priced(1_000, a="42"), max_cost=3, price=price)
    for _ in range(3):
        await budget(question())
    assert budget.spent.cost_usd == pytest.approx(3)
    with pytest.raises(BudgetExceeded):
        await budget(question())
    short = Budget(Priced(1, a="42"), max_cost=USUAL, price=price)
    await short(question())
    await short(question())  # at least 500 tokens, however short the first was
    assert short.spent.cost_usd == pytest.approx(0.002)


async def test_an_arbiter_is_not_measured_by_what_the_model_says_as_a_member() -> None:
    budget = Budget(Priced(1, a="42"), max_cost=USUAL, price=price)
    await budget(question())
    with pytest.raises(BudgetExceeded):
        await budget(question(role="arbiter", label="arbiter"))


@pytest.mark.parametrize(("limit", "fits"), [(500, True), ("500", False), (0, False)])
async def test_an_answer_is_no_longer_than_its_options_allow(limit: object, *, fits: bool) -> None:
    budget = Budget(Priced(1, a="42"), max_cost=0.6, price=price)
    asking = budget(question(options={"max_tokens": limit}))
    if fits:
        await asking
    else:
        with pytest.raises(BudgetExceeded):
            await asking


async def test_calls_under_way_are_set_aside_for() -> None:
    ask = Priced(1, a="42")
    ask.released = released = anyio.Event()
    budget = Budget(ask, max_cost=2.5 * USUAL, price=price)
    refused: list[BudgetExceeded] = []

    async def one() -> None:
        try:
            await budget(question())
        except BudgetExceeded as error:
            refused.append(error)
            if len(refused) == THREE:
                released.set()

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert (len(ask.questions), len(refused)) == (2, THREE)
    await budget(question())  # what the two did not need is there again


async def test_what_is_told_goes_before_what_is_listed() -> None:
    ask = Priced(1, a="42")
    ask.told = 1.5
    budget = Budget(ask, max_cost=3, price=price)
    await budget(question())
    await budget(question())
    with pytest.raises(BudgetExceeded, match=r"about \$3.0000 is spent"):
        await budget(question())


async def test_an_unknown_price_counts_from_the_first_cost_that_is_told() -> None:
    ask = Priced(1, A="42")
    budget = Budget(ask, max_cost=2.5, price=price)
    for _ in range(9):
        await budget(question("A"))
    assert budget.spent.cost_usd is None
    ask.told = 1.0
    await budget(question("A"))
    await budget(question("A"))
    with pytest.raises(BudgetExceeded, match=r"may cost \$1.0000"):
        await budget(question("A"))


async def test_a_call_of_unknown_price_is_refused_too_once_all_is_spent() -> None:
    budget = Budget(Priced(2_000, a="42", A="42"), max_cost=USUAL, price=price)
    await budget(question("A"))
    await budget(question("a"))
    with pytest.raises(BudgetExceeded):
        await budget(question("A"))


@pytest.mark.parametrize(
    ("error", "spent", "next_one"),
    [
        (MemberError("HTTP 500"), 0, USUAL),
        (MemberError("late", kind="timeout"), USUAL, USUAL),
        (MemberError("empty", spent=Spending(input_tokens=1, output_tokens=700)), 0.7, 0.7),
        (MemberError("empty", spent=Spending(cost_usd=0.3, priced_calls=1)), 0.3, USUAL),
    ],
)
async def test_a_failure_costs_what_is_told_and_a_reply_that_nobody_saw_as_usual(
    error: MemberError, spent: float, next_one: float
) -> None:
    before = Exchange.of(question(), error, "2026-01-01T00:00:00Z")
    for more, fits in ((0.0001, True), (-0.0001, False)):
        budget = Budget(FakeAsk(a="42"), max_cost=spent + next_one + more, price=price)
        budget.remember(before)
        if fits:
            await budget(question())
        else:
            with pytest.raises(BudgetExceeded):
                await budget(question())


async def test_a_call_that_timed_out_may_have_cost_a_reply() -> None:
    late = MemberError("late", kind="timeout")
    budget = Budget(FakeAsk(a=late), max_cost=1.5 * USUAL, price=price)
    with pytest.raises(MemberError):
        await budget(question())
    with pytest.raises(BudgetExceeded):
        await budget(question())


async def test_calls_that_were_cut_off_count_with_a_usual_reply() -> None:
    cut_off = BegunCall(
        iteration=1, role="member", label="A", attempt=1, model="a", tries=2, input_tokens=5
    )
    budget = Budget(FakeAsk(a="42"), max_cost=3 * USUAL, price=price)
    budget.remember_cut_off(cut_off)
    await budget(question())
    with pytest.raises(BudgetExceeded):
        await budget(question(role="arbiter", label="arbiter"))


async def test_an_iteration_that_would_cost_too_much_is_not_begun() -> None:
    run = run_of("a", "b", max_cost=9, min_iterations=3)
    ask = Priced(2_500, a=reply("42", 0.9), b=reply("42", 0.9), judge=verdict())
    ended = await consulted(run, Budget(ask, max_cost=9, price=price))
    assert (ended.status, ended.stop_reason) == ("degraded", "budget")
    assert "Only 1 of at least 3 iterations were made (budget)." in ended.warnings
    assert len(ask.questions) == 3


async def test_a_verdict_that_does_not_fit_leaves_the_best_supported_answer() -> None:
    run = run_of("a", "b", max_cost=2 * USUAL)
    ask = Priced(1_500, a=reply("42", 0.9), b=reply("42", 0.9), judge=verdict())
    ended = await consulted(run, Budget(ask, max_cost=run.config.max_cost, price=price))
    assert (ended.status, ended.stop_reason) == ("degraded", "budget")
    assert ended.best is not None
    assert ended.best.verdict.final_answer == "42"
    assert any("The budget left no verdict (max_cost is $4;" in each for each in ended.warnings)
