from __future__ import annotations

from typing import Any

import anyio
import pytest
import trio.testing

from consortium_mcp.adapters.calls.retries import TRIES, Retrier
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError
from tests.support.fakes import FakeAsk

pytestmark = pytest.mark.anyio

QUESTION = Question(role="member", label="A", model="a", prompt="?", iteration=1, timeout=60)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def passing(**more: Any) -> MemberError:  # noqa: ANN401
    return MemberError("HTTP 429", passing=True, **more)


async def test_a_fault_that_passes_is_waited_out_and_said() -> None:
    ask = FakeAsk(a=[passing(), passing(), "42"])
    reply = await Retrier(ask)(QUESTION)
    assert reply.text == "42"
    assert reply.warnings == ("answered at try 3, after: HTTP 429; HTTP 429",)


async def test_a_fault_that_stays_is_given_up_after_so_many_tries() -> None:
    ask = FakeAsk(a=passing())
    with pytest.raises(MemberError):
        await Retrier(ask)(QUESTION)
    assert len(ask.questions) == TRIES


async def test_what_cannot_pass_is_not_tried_again() -> None:
    ask = FakeAsk(a=MemberError("HTTP 401", permanent=True))
    with pytest.raises(MemberError):
        await Retrier(ask)(QUESTION)
    assert len(ask.questions) == 1


async def test_the_providers_own_pause_is_kept() -> None:
    began = anyio.current_time()
    await Retrier(FakeAsk(a=[passing(retry_after=20.0), "42"]))(QUESTION)
    assert 20 <= anyio.current_time() - began < 21


async def test_a_pause_beyond_the_timeout_is_not_begun() -> None:
    began = anyio.current_time()
    with pytest.raises(MemberError, match="429"):
        await Retrier(FakeAsk(a=[passing(retry_after=120.0), "42"]))(QUESTION)
    assert anyio.current_time() - began == 0


async def test_all_tries_together_have_one_timeout() -> None:
    ask = FakeAsk(a=[50.0, passing(retry_after=5.0), "42"])
    await Retrier(ask)(QUESTION)
    assert ask.questions[0].timeout == 60
    assert ask.questions[1].timeout == pytest.approx(5, abs=0.2)


async def test_pauses_are_jittered_and_grow() -> None:
    pauses = []
    for _ in range(30):
        began = anyio.current_time()
        await Retrier(FakeAsk(a=[passing(), passing(), "42"]))(QUESTION)
        pauses.append(anyio.current_time() - began)
    assert len(set(pauses)) > 20
    assert max(pauses) <= 1.5
