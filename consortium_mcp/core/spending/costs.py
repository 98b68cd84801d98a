"""What calls may cost before they are made: careful estimates, which no report shows as spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import BudgetExceeded

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import CallPrice, Question, Role

USUAL_REPLY = 2_000
"""Tokens of a reply from a model that has not replied in this run: a long answer, or a shorter one
with some reasoning. What a reply really had is known only afterwards."""
LEAST_REPLY = 500
"""Tokens that a next reply is taken to have at least, however short the earlier ones were."""
_LENGTH_OPTIONS = (
    "max_tokens", "max_output_tokens", "max_completion_tokens", "num_predict",
)  # fmt: skip
"""How plugins of llm call the option that limits a reply's length."""


def no_price(model: str, input_tokens: int, output_tokens: int) -> None:
    """A `CallPrice` that knows none."""


def reply_tokens(question: Question, usual: int = USUAL_REPLY) -> int:
    """Tokens that the reply may have: as usual, or as the question's own options allow."""
    limits = [question.options.get(name) for name in _LENGTH_OPTIONS]
    return min([usual, *(each for each in limits if isinstance(each, int) and each > 0)])


class Costs:
    """Keeps a run within `max_cost`: what it has cost, and what its calls under way may cost.

    A call of unknown price is taken to cost what its model's dearest reply so far has, and nothing
    before there is one; once `max_cost` is spent, it is refused too.

    Args:
        limit: US dollars; `None` for no limit.
        price: what a call costs.
    """

    def __init__(self, limit: float | None, price: CallPrice) -> None:
        self._limit = limit
        self._price = price
        self._spent = 0.0
        """As told, or else as estimated."""
        self._reserved = 0.0
        self._longest: dict[tuple[Role, str], int] = {}
        """Role and model -> the tokens of its longest reply."""
        self._dearest: dict[str, float] = {}
        """Model -> what its dearest call has cost."""

    @property
    def committed(self) -> float:
        """US dollars, as told or else as estimated, with those of calls under way."""
        return self._spent + self._reserved

    def reserve(self, question: Question, input_tokens: int) -> float:
        """Set aside what the call may cost, in US dollars; `release` it when the call has ended.

        Raises:
            BudgetExceeded: it does not fit; nothing is set aside.
        """
        if self._limit is None:
            return 0.0
        expected = self._expected(question, input_tokens)
        committed = self.committed
        if committed + expected > self._limit or committed >= self._limit:
            raise BudgetExceeded(
                f"max_cost is ${self._limit:g}; about ${committed:.4f} is spent or under way, and "
                f"this call may cost ${expected:.4f}: raise max_cost, or ask cheaper models"
            )
        self._reserved += expected
        return expected

    def release(self, reserved: float) -> None:
        """Give back what was set aside for a call."""
        self._reserved -= reserved

    def count(
        self,
        role: Role,
        model: str,
        input_tokens: int,
        output_tokens: int | None,
        cost: float | None,
    ) -> None:
        """Count a call that has ended.

        Args:
            role: of the model that was asked.
            model: its id.
            input_tokens: as reported, or else estimated; so are `output_tokens`.
            output_tokens: of the reply; `None` where there may be one that nobody has seen.
            cost: US dollars; where it is not known, what the tokens cost is counted.
        """
        if output_tokens:  # a failure says nothing of how long replies are
            place = role, model
            self._longest[place] = max(output_tokens, self._longest.get(place, 0))
        if cost is None:
            received = USUAL_REPLY if output_tokens is None else output_tokens
            self._spent += self._price(model, input_tokens, received) or 0.0
        else:
            self._spent += cost
            self._dearest[model] = max(cost, self._dearest.get(model, 0.0))

    def _expected(self, question: Question, input_tokens: int) -> float:
        longest = self._longest.get((question.role, question.model))
        usual = USUAL_REPLY if longest is None else max(longest, LEAST_REPLY)
        listed = self._price(question.model, input_tokens, reply_tokens(question, usual))
        return self._dearest.get(question.model, 0.0) if listed is None else listed
