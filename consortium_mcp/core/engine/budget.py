"""An `Ask` with a budget: it counts every call, and refuses those that would exceed the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.domain.tool_use import WatchedSteps
from consortium_mcp.core.domain.values import Spending, total

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.exchange import BegunCall, Exchange


class Budget:
    """Counts what a run spends, and refuses a call that would exceed its limits.

    Args:
        ask: makes the calls; one call of it is one call to a provider.
        max_calls: limit on all calls; `None` for no limit.
        max_total_tokens: limit on all input and output tokens; `None` for no limit. The tokens of a
            prompt are estimated before the call, and so is whatever a provider does not report.
    """

    def __init__(self, ask: Ask, max_calls: int | None, max_total_tokens: int | None) -> None:
        self._ask = ask
        self._max_calls = max_calls
        self._max_total_tokens = max_total_tokens
        self._tokens = 0
        """Spent, as reported or else as estimated."""
        self._reserved = 0
        self.calls = 0
        self.spent = Spending()
        """As the providers report it."""

    async def __call__(self, question: Question, /) -> Reply:
        """Make the call; see `core.domain.ask.Ask`.

        Raises:
            BudgetExceeded: the call would exceed a limit; it was not made.
        """
        expected = question.estimated_tokens
        self._check(expected)
        self.calls += 1
        self._reserved += expected
        calls = 1

        async def count_further_call() -> None:
            nonlocal calls
            self._check(expected)  # the prompt is sent again
            self.calls += 1
            calls += 1
            self._reserved += expected

        if question.tools:
            steps = WatchedSteps(question.steps, count_further_call)
            question = question.model_copy(update={"steps": steps})
        try:
            reply = await self._ask(question)
        except MemberError as error:  # the prompt was sent, and a failed reply may cost too
            self._count(expected, error.spent, "")
            raise
        finally:
            self._reserved -= expected * calls
        self._count(expected, reply, reply.text)
        return reply

    def remember(self, exchange: Exchange) -> None:
        """Count a call from before the run was interrupted."""
        if isinstance(self._ask, Budget):  # a nested run also spends its parent's budget
            self._ask.remember(exchange)
        self.calls += exchange.tries
        expected = estimated_tokens(exchange.prompt, exchange.system)
        self._count(expected, exchange.spent, exchange.reply or "")

    def remember_cut_off(self, call: BegunCall) -> None:
        """Count the tries of a call that an earlier process began and that never ended."""
        if isinstance(self._ask, Budget):
            self._ask.remember_cut_off(call)
        self.calls += call.tries
        self._tokens += call.tries * call.input_tokens

    def _count(self, expected: int, spent: Spending, text: str) -> None:
        self.spent = total([self.spent, spent])
        self._tokens += expected if spent.input_tokens is None else spent.input_tokens
        received = spent.output_tokens
        self._tokens += estimated_tokens(text) if received is None else received

    def _check(self, expected: int) -> None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise BudgetExceeded(f"max_calls is {self._max_calls}, and that many calls were made")
        committed = self._tokens + self._reserved
        if self._max_total_tokens is not None and committed + expected > self._max_total_tokens:
            raise BudgetExceeded(
                f"max_total_tokens is {self._max_total_tokens}; about {committed} are used and "
                f"this call's prompt has about {expected}"
            )
