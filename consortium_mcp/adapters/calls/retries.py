"""`Ask` with retries: the one place that decides when to ask again, and how often.

`failures` says which failures may pass: rate limits, server faults, lost connections, streams that
break off. This module adds the waiting. All tries together stay within the question's timeout.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.values import total

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question, Reply

TRIES = 3
FIRST_PAUSE = 0.5
"""Seconds, at most, before the second try; doubled for each further try."""


class Retrier:
    """Asks up to three times.

    Args:
        ask: makes one try.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        deadline = anyio.current_time() + question.timeout
        failures: list[MemberError] = []
        while True:
            seconds_left = deadline - anyio.current_time()
            try:
                reply = await self._ask(question.model_copy(update={"timeout": seconds_left}))
            except MemberError as error:
                failures.append(error)
                pause = _pause(error, len(failures))
                in_time = anyio.current_time() + pause < deadline
                if not error.passing or len(failures) == TRIES or not in_time:
                    _with_all_costs(failures)
                    raise
                await anyio.sleep(pause)
            except BudgetExceeded:
                if failures:  # it was asked before: say how that failed
                    raise _with_all_costs(failures) from None
                raise
            else:
                return _with_tries(reply, failures)


def _pause(error: MemberError, failures: int) -> float:
    """Seconds to wait: what the provider asks for and some jitter, else a growing full jitter.

    None where it may be asked again at once.

    Without jitter, the members of one panel that hit the same limit would all come back at once.
    """
    if error.retry_after == 0:
        return 0.0
    jitter = random.uniform(0, FIRST_PAUSE * 2 ** (failures - 1))
    return jitter if error.retry_after is None else error.retry_after + jitter / 4


def _with_all_costs(failures: list[MemberError]) -> MemberError:
    """The last failure, with the number of tries and the tokens of all of them."""
    last = failures[-1]
    last.tries = sum(failure.tries for failure in failures)
    last.spent = total(failure.spent for failure in failures)
    return last


def _with_tries(reply: Reply, failures: list[MemberError]) -> Reply:
    if not failures:
        return reply
    tries = reply.tries + sum(failure.tries for failure in failures)
    before = "; ".join(str(failure) for failure in failures)
    note = f"answered at try {len(failures) + 1}, after: {before}"
    return reply.model_copy(
        update={
            "tries": tries,
            **total([reply, *(failure.spent for failure in failures)]).model_dump(),
            "warnings": (*reply.warnings, note),
        }
    )
