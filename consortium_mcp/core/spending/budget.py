"""An `Ask` with a budget: it counts every call, and refuses those that would exceed the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.domain.tool_use import WatchedSteps
from consortium_mcp.core.domain.values import Spending, total
from consortium_mcp.core.spending.costs import Costs, no_price
from consortium_mcp.core.spending.limits import Used

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, CallPrice, Question, Reply
    from consortium_mcp.core.records.exchange import BegunCall, Exchange


class Budget:
    """Counts what a run spends, and refuses a call that would exceed its limits.

    Args:
        ask: makes the calls; one call of it is one call to a provider.
        max_calls: limit on all calls; `None` for no limit.
        max_total_tokens: limit on all input and output tokens; `None` for no limit. The tokens of a
            prompt are estimated before the call, and so is whatever a provider does not report.
        max_cost: limit in US dollars; `None` for no limit. See `costs.Costs`.
        price: what a call costs; only needed with `max_cost`.
    """

    def __init__(
        self,
        ask: Ask,
        max_calls: int | None = None,
        max_total_tokens: int | None = None,
        max_cost: float | None = None,
        price: CallPrice = no_price,
    ) -> None:
        self._ask = ask
        self._costs = Costs(max_cost, price)
        self._max_calls = max_calls
        self._max_total_tokens = max_total_tokens
        self._tokens = 0
        """Spent, as reported or else as estimated."""
        self._reserved = 0
        self.calls = 0
        self.spent = Spending()
        """As the providers report it."""

    @property
    def used(self) -> Used:
        """What all calls used, those under way as well, estimated where no provider has told it."""
        tokens = self._tokens + self._reserved
        return Used(calls=self.calls, tokens=tokens, dollars=self._costs.committed)

    def close(self) -> None:
        """Refuse every further call; what is under way may end."""
        self._max_calls = self.calls

    async def __call__(self, question: Question, /) -> Reply:
        """Make the call; see `core.domain.ask.Ask`.

        Raises:
            BudgetExceeded: the call would exceed a limit; it was not made.
        """
        expected = question.estimated_tokens
        self._check(expected)
        cost = self._costs.reserve(question, expected)
        self.calls += 1
        self._reserved += expected
        calls = 1

        async def count_further_call() -> None:
            nonlocal calls, cost
            self._check(expected)  # the prompt is sent again
            cost += self._costs.reserve(question, expected)
            self.calls += 1
            calls += 1
            self._reserved += expected

        if question.tools:
            steps = WatchedSteps(question.steps, count_further_call)
            question = question.model_copy(update={"steps": steps})
        try:
            reply = await self._ask(question)
        except MemberError as error:  # the prompt was sent, and a failed reply may cost too
            self._count(question, error.spent, None if error.kind == "timeout" else "")
            raise
        finally:
            self._reserved -= expected * calls
            self._costs.release(cost)
        self._count(question, reply, reply.text)
        return reply

    def remember(self, exchange: Exchange) -> None:
        """Count a call from before the run was interrupted."""
        if isinstance(self._ask, Budget):  # a nested run also spends its parent's budget
            self._ask.remember(exchange)
        self.calls += exchange.tries
        unseen = exchange.error_kind == "timeout"
        self._count(exchange, exchange.spent, None if unseen else exchange.reply or "")

    def remember_cut_off(self, call: BegunCall) -> None:
        """Count the tries of a call that an earlier process began and that never ended."""
        if isinstance(self._ask, Budget):
            self._ask.remember_cut_off(call)
        self.calls += call.tries
        self._tokens += call.tries * call.input_tokens
        for _ in range(call.tries):
            self._costs.count(call.role, call.model, call.input_tokens, None, None)

    def _count(self, call: Question | Exchange, spent: Spending, text: str | None) -> None:
        """Count a call; `text` is `None` where a reply may have been made that nobody has seen."""
        self.spent = total([self.spent, spent])
        sent, received = spent.input_tokens, spent.output_tokens
        if sent is None:
            sent = estimated_tokens(call.prompt, call.system)
        if received is None and text is not None:
            received = estimated_tokens(text)
        self._tokens += sent + (received or 0)
        self._costs.count(call.role, call.model, sent, received, spent.cost_usd)

    def _check(self, expected: int) -> None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise BudgetExceeded(f"max_calls is {self._max_calls}, and that many calls were made")
        committed = self._tokens + self._reserved
        if self._max_total_tokens is not None and committed + expected > self._max_total_tokens:
            raise BudgetExceeded(
                f"max_total_tokens is {self._max_total_tokens}; about {committed} are used and "
                f"this call's prompt has about {expected}"
            )
