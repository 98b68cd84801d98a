"""Real calls through llm's own OpenAI classes, against a provider that fails in every way."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.calls.retries import TRIES, Retrier
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.spending.budget import Budget
from tests.support.loopback import Provider, provider, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def served(settings: Settings) -> Iterator[Provider]:
    with provider() as running:
        register(settings.user_dir, running.port)
        yield running


async def ask(model: str, timeout: float = 10, limits: Limits | None = None) -> Reply:  # noqa: ASYNC109
    calls = Retrier(ModelCaller(Registry(), limits or Limits()))
    question = Question(
        role="member", label="A", model=model, prompt="How many?", iteration=1, timeout=timeout
    )
    return await calls(question)


@pytest.mark.usefixtures("served")
async def test_a_good_reply() -> None:
    reply = await ask("ok")
    assert "42" in reply.text
    assert (reply.input_tokens, reply.output_tokens) == (10, 5)
    assert reply.warnings == ()


@pytest.mark.parametrize("model", ["ok", "http-401", "html", "hang"])
async def test_a_call_leaves_no_connection_open(served: Provider, model: str) -> None:
    """Else the garbage collector closes it, at the cost of whoever has its number by then."""
    gc.disable()
    try:
        with suppress(MemberError):
            await ask(model, timeout=5 if model == "hang" else 60)
        while served.connections:  # noqa: ASYNC110 (the server notices a little later)
            await anyio.sleep(0.01)
    finally:
        gc.enable()
    assert served.asked[model] or model == "hang"


@pytest.mark.parametrize(
    ("model", "kind", "words", "tries"),
    [
        ("http-500", "http", "HTTP 500", TRIES),
        ("http-429", "http", "HTTP 429", TRIES),
        ("http-401", "http", "HTTP 401", 1),
        ("disconnect", "connection", "connection lost", TRIES),
        ("html", "malformed", "not in the form", 1),
        ("empty", "empty", "empty", 1),
        ("no-choices", "malformed", "not in the form", 1),
    ],
)
async def test_every_fault_has_a_name_and_only_passing_ones_are_tried_again(
    served: Provider, model: str, kind: str, words: str, tries: int
) -> None:
    with pytest.raises(MemberError, match=words) as caught:
        await ask(model)
    assert caught.value.kind == kind
    assert served.asked[model] == tries  # the SDK's own retries would multiply this


async def test_a_rate_limit_that_passes_is_waited_out_and_said(served: Provider) -> None:
    reply = await ask("http-429-once")
    assert served.asked["http-429-once"] == 2
    assert reply.warnings[0].startswith("answered at try 2, after: HTTP 429")


@pytest.mark.usefixtures("served")
async def test_a_reply_without_usage_keeps_its_text_and_invents_no_number() -> None:
    reply = await ask("no-usage")
    assert "42" in reply.text
    assert reply.input_tokens is reply.output_tokens is None
    assert "lacked a part" in reply.warnings[0]


@pytest.mark.usefixtures("served")
async def test_a_truncated_reply_says_so() -> None:
    assert "cut short by the provider (length)" in (await ask("truncated")).warnings[0]


@pytest.mark.parametrize("model", ["hang", "slow-loris"])
async def test_giving_up_closes_the_connection(served: Provider, model: str) -> None:
    for seconds in (0.3, 3, 30):  # the request must have reached the provider before
        with pytest.raises(MemberError, match="no answer within"):
            await ask(model, timeout=seconds)
        if served.asked[model]:
            break
    with anyio.fail_after(60):
        while not served.hung_up[model]:  # noqa: ASYNC110 (the provider is in another thread)
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("limits", "at_once"),
    [(Limits(total=1), 1), (Limits(per_provider=1), 1), (Limits(), 3)],
)
async def test_parallel_calls_keep_to_the_limits(
    served: Provider, limits: Limits, at_once: int
) -> None:
    calls = ModelCaller(Registry(), limits)
    question = Question(
        role="member", label="A", model="delay-0.5", prompt="?", iteration=1, timeout=20
    )
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(calls, question)
    assert served.most_at_once == at_once


async def test_every_try_is_counted_and_the_budget_stops_the_next(served: Provider) -> None:
    budget = Budget(ModelCaller(Registry(), Limits()), max_calls=2, max_total_tokens=None)
    question = Question(
        role="member", label="A", model="http-500", prompt="?", iteration=1, timeout=20
    )
    with pytest.raises(MemberError, match="HTTP 500"):
        await Retrier(budget)(question)
    assert budget.calls == served.asked["http-500"] == 2
