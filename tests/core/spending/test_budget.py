from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.spending.limits import Used
from tests.support.fakes import FakeAsk

pytestmark = pytest.mark.anyio


def question(prompt: str = "How many?", model: str = "a") -> Question:
    return Question(role="member", label="A", model=model, prompt=prompt, iteration=1, timeout=9)


async def test_calls_are_counted_and_the_one_too_many_is_not_made() -> None:
    ask = FakeAsk(a="42")
    budget = Budget(ask, max_calls=2, max_total_tokens=None)
    await budget(question())
    await budget(question())
    with pytest.raises(BudgetExceeded, match="max_calls is 2"):
        await budget(question())
    assert len(ask.questions) == budget.calls == 2
    assert (budget.spent.input_tokens, budget.spent.output_tokens) == (20, 10)


async def test_failed_calls_count_as_calls() -> None:
    budget = Budget(FakeAsk(a=MemberError("HTTP 500")), max_calls=1, max_total_tokens=None)
    with pytest.raises(MemberError):
        await budget(question())
    with pytest.raises(BudgetExceeded):
        await budget(question())
    assert budget.spent.input_tokens is None


async def test_tokens_are_those_reported_and_the_next_prompt_is_estimated() -> None:
    budget = Budget(FakeAsk(a="42"), max_calls=None, max_total_tokens=40)
    await budget(question())  # reports 10 in, 5 out
    await budget(question("x" * 40))  # 15 used and about 10 more
    with pytest.raises(BudgetExceeded, match="about 30 are used and this call's prompt has about"):
        await budget(question("x" * 44))


async def test_what_is_under_way_counts_as_used_and_a_closed_budget_begins_nothing() -> None:
    budget = Budget(FakeAsk(a=[5.0, "42"]), None, None, 9, lambda *_: 0.5)
    async with anyio.create_task_group() as group:
        group.start_soon(budget, question("x" * 80))
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        assert budget.used == Used(calls=1, tokens=20, dollars=0.5)
        budget.close()
        with pytest.raises(BudgetExceeded):
            await budget(question())
    assert budget.used == Used(calls=1, tokens=15, dollars=0.5)


async def test_calls_on_their_way_are_reserved_for() -> None:
    budget = Budget(FakeAsk(a=[5.0, "42"]), max_calls=None, max_total_tokens=30)
    refused: list[str] = []

    async def ask() -> None:
        try:
            await budget(question("x" * 80))
        except BudgetExceeded as error:
            refused.append(str(error))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
    assert len(refused) == 1


async def test_what_a_provider_does_not_report_is_estimated_for_the_limit_only() -> None:
    class Silent(FakeAsk):
        async def __call__(self, question: Question, /) -> Reply:
            reply = await super().__call__(question)
            return reply.model_copy(update={"input_tokens": None, "output_tokens": None})

    budget = Budget(Silent(a="x" * 400), max_calls=None, max_total_tokens=105)
    await budget(question("x" * 8))
    assert (budget.spent.input_tokens, budget.spent.output_tokens) == (None, None)
    with pytest.raises(BudgetExceeded):
        await budget(question("x" * 16))


def test_four_characters_are_about_a_token() -> None:
    assert estimated_tokens("x" * 9, None) == 3
