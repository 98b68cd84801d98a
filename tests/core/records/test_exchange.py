from __future__ import annotations

import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.values import Spending
from consortium_mcp.core.records.exchange import Exchange, key_of
from consortium_mcp.core.spending.budget import Budget
from tests.support.fakes import FakeAsk

QUESTION = Question(
    role="member", label="A", model="a", prompt="How many?", system="Be brief.", iteration=2,
    attempt=1, timeout=9,
)  # fmt: skip
OUTCOMES: list[Reply | MemberError] = [
    Reply(
        text="42",
        seconds=1.5,
        input_tokens=10,
        output_tokens=2,
        cost_usd=0.25,
        priced_calls=1,
        tries=2,
        warnings=("late",),
    ),
    Reply(text="", seconds=0.1, cost_usd=0.5, priced_calls=1),
    MemberError("HTTP 401", kind="auth", permanent=True, spent=Spending(input_tokens=7), tries=3),
    MemberError("broken"),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=str)
def test_what_is_played_back_is_what_was_said(outcome: Reply | MemberError) -> None:
    recorded = Exchange.of(QUESTION, outcome, "2026-11-23T12:00:00.000+00:00")
    read = Exchange.model_validate_json(recorded.model_dump_json())
    assert read.key == key_of(QUESTION) == (2, "member", "A", 1)
    again = read.outcome()
    if isinstance(outcome, Reply):
        assert again == outcome
    else:
        assert isinstance(again, MemberError)
        assert vars(again) == vars(outcome)
        assert str(again) == str(outcome)


def test_what_was_spent_before_counts() -> None:
    budget = Budget(FakeAsk(), max_calls=None, max_total_tokens=None)
    for outcome in OUTCOMES:
        budget.remember(Exchange.of(QUESTION, outcome, ""))
    assert budget.calls == 2 + 1 + 3 + 1
    assert (budget.spent.input_tokens, budget.spent.output_tokens) == (17, 2)
    assert (budget.spent.cost_usd, budget.spent.priced_calls) == (0.75, 2)
