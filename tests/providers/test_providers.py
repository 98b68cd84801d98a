"""Every behaviour with every plugin, each against the API that it really speaks.

A new plugin is a line in `plugins.PLUGINS`. Run with the plugins installed: `.ci/providers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.models.retries import Retrier
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from tests.providers.kit import ANSWER, WAIT
from tests.providers.plugins import PLUGINS, SECRET, caller_of, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.models.calls import ModelCaller
    from consortium_mcp.adapters.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("default")]  # foreign code warns


@pytest.fixture(params=sorted(PLUGINS))
def caller(request: pytest.FixtureRequest, settings: Settings) -> Iterator[ModelCaller]:
    if not installed(request.param):
        pytest.skip(f"the plugin of {request.param} is not installed: see .ci/providers")
    with caller_of(request.param, settings.user_dir) as made:
        yield made


def _name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["caller"])


async def ask(caller: ModelCaller, request: pytest.FixtureRequest, case: str, **more: Any) -> Reply:  # noqa: ANN401
    question = Question(
        role="member", label="A", model=f"{_name(request)}-m", prompt=f"What is it? case:{case}",
        system="Be brief.", iteration=1, timeout=30, **more,
    )  # fmt: skip
    return await caller(question)


async def failure(caller: ModelCaller, request: pytest.FixtureRequest, case: str) -> MemberError:
    with pytest.raises(MemberError) as caught:
        await ask(caller, request, case)
    assert SECRET not in str(caught.value)
    return caught.value


async def test_a_member_answers(caller: ModelCaller, request: pytest.FixtureRequest) -> None:
    reply = await ask(caller, request, "ok")
    assert reply.text == ANSWER
    assert (reply.input_tokens, reply.output_tokens) == (7, 3)


async def test_a_reply_cut_short_says_so(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    reply = await ask(caller, request, "cut")
    assert any("cut short" in warning for warning in reply.warnings)


async def test_a_stream_that_breaks_off_is_no_reply(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    if _name(request) not in STREAMED:
        pytest.skip("its plugin is not asked to stream")
    error = await failure(caller, request, "broken_stream")
    assert error.passing
    assert error.kind in {"broken_off", "malformed"}


STREAMED = {"grok", "cerebras", "anthropic"}


@pytest.mark.parametrize(("case", "status"), [("key", 401), ("credit", 402), ("missing", 404)])
async def test_a_refused_call_is_for_good(
    caller: ModelCaller, request: pytest.FixtureRequest, case: str, status: int
) -> None:
    error = await failure(caller, request, case)
    assert f"HTTP {status}" in str(error)
    assert error.permanent
    assert not error.passing


@pytest.mark.parametrize(
    ("case", "status"), [("limited", 429), ("broken", 500), ("busy", 503), ("html", 502)]
)
async def test_a_passing_fault_may_be_tried_again(
    caller: ModelCaller, request: pytest.FixtureRequest, case: str, status: int
) -> None:
    error = await failure(caller, request, case)
    assert f"HTTP {status}" in str(error)
    assert error.passing
    assert not error.permanent
    if case == "limited":
        assert error.retry_after == WAIT


async def test_a_refusal_is_named(caller: ModelCaller, request: pytest.FixtureRequest) -> None:
    error = await failure(caller, request, "refused")
    named = _name(request) != "ollama"  # whose API knows no refusals
    assert error.kind == ("refused" if named else "empty")


async def test_a_schema_that_is_refused_is_left_out(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    question = Question(
        role="arbiter", label="arbiter", model=f"{_name(request)}-m", prompt="Judge. case:schema",
        json_schema=schema, iteration=1, timeout=30,
    )  # fmt: skip
    reply = await Retrier(caller)(question)
    assert reply.text == ANSWER
