"""`Ask` that asks again where that may help: the one place that knows when and how often.

What may pass (rate limits, server faults, lost connections, streams that break off) is classified
in `failures`; this adds the waiting. All tries together stay within the question's timeout.
"""

from __future__ import annotations

import random
from functools import reduce
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.engine.budget import sum_of

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question, Reply

TRIES = 3
FIRST_PAUSE = 0.5
"""Seconds at most before the second try; doubled for each further one."""


class Retrier:
    """Asks up to three times.

    Args:
        ask: one try.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        deadline = anyio.current_time() + question.timeout
        failures: list[MemberError] = []
        while True:
            left = deadline - anyio.current_time()
            try:
                reply = await self._ask(question.model_copy(update={"timeout": left}))
            except MemberError as error:
                failures.append(error)
                pause = _pause(error, len(failures))
                in_time = anyio.current_time() + pause < deadline
                if not error.passing or len(failures) == TRIES or not in_time:
                    _with_all_costs(failures)
                    raise
                await anyio.sleep(pause)
            except BudgetExceeded:
                if failures:  # it was asked, and this is what came of it
                    raise _with_all_costs(failures) from None
                raise
            else:
                return _with_tries(reply, failures)


def _pause(error: MemberError, failures: int) -> float:
    """Seconds to wait: what the provider wants, else longer each time, with full jitter.

    Jitter, so that the members of one panel that hit one limit do not all come back at once.
    """
    jitter = random.uniform(0, FIRST_PAUSE * 2 ** (failures - 1))
    return jitter if error.retry_after is None else error.retry_after + jitter / 4


def _with_all_costs(failures: list[MemberError]) -> MemberError:
    """The last failure, with what all of them cost."""
    last = failures[-1]
    last.tries = len(failures)
    last.input_tokens = reduce(sum_of, [f.input_tokens for f in failures])
    last.output_tokens = reduce(sum_of, [f.output_tokens for f in failures])
    return last


def _with_tries(reply: Reply, failures: list[MemberError]) -> Reply:
    if not failures:
        return reply
    tries = len(failures) + 1
    note = f"answered at try {tries}, after: {'; '.join(str(failure) for failure in failures)}"
    return reply.model_copy(
        update={
            "tries": tries,
            "input_tokens": reduce(sum_of, [f.input_tokens for f in failures], reply.input_tokens),
            "output_tokens": reduce(
                sum_of, [f.output_tokens for f in failures], reply.output_tokens
            ),
            "warnings": (*reply.warnings, note),
        }
    )
