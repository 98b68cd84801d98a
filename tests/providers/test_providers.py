"""Every behaviour with every plugin, each against the API that it really speaks.

A new plugin is a line in `plugins.PLUGINS`. Run with the plugins installed: `.ci/providers`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest

from consortium_mcp.adapters.calls.retries import Retrier
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from tests.providers.kit import ANSWER, JUDGEMENT, WAIT, Api
from tests.providers.plugins import PLUGINS, SECRET, caller_of, id_of, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.calls.model_caller import ModelCaller
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
        role="member", label="A", model=id_of(_name(request)), prompt=f"What is it? case:{case}",
        system="Be brief.", iteration=1, timeout=60,
    )  # fmt: skip
    return await caller(question.model_copy(update=more))


async def failure(
    caller: ModelCaller,
    request: pytest.FixtureRequest,
    case: str,
    **more: Any,  # noqa: ANN401 (fields of the question)
) -> MemberError:
    with pytest.raises(MemberError) as caught:
        await ask(caller, request, case, **more)
    assert SECRET not in str(caught.value)
    return caught.value


async def test_a_member_answers(caller: ModelCaller, request: pytest.FixtureRequest) -> None:
    reply = await ask(caller, request, "ok")
    assert reply.text == ANSWER
    assert (reply.input_tokens, reply.output_tokens) == (7, 3)


async def test_thinking_is_no_part_of_the_answer(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    assert (await ask(caller, request, "thinks")).text == ANSWER


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


STREAMED = {"grok", "cerebras", "anthropic", "bedrock", "perplexity"}


async def test_an_arbiter_gives_its_verdict_as_json_where_a_schema_is_known(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    reply = await ask(caller, request, "judge", role="arbiter", json_schema=SCHEMA)
    assert reply.text == (ANSWER if _name(request) in WITHOUT_SCHEMAS else json.dumps(JUDGEMENT))


WITHOUT_SCHEMAS = {"groq", "deepseek", "grok", "bedrock", "perplexity"}
SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}


async def test_a_call_that_is_given_up_closes_its_connection(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    Api.hung_up.clear()
    error = await failure(caller, request, "hang", timeout=1)
    assert error.kind == "timeout"
    if _name(request) != "bedrock":  # boto3 cannot be interrupted: it waits its 60 s
        assert await anyio.to_thread.run_sync(Api.hung_up.wait, 60)


@pytest.mark.parametrize(("case", "status"), [("key", 401), ("credit", 402), ("missing", 404)])
async def test_a_refused_call_is_for_good(
    caller: ModelCaller, request: pytest.FixtureRequest, case: str, status: int
) -> None:
    error = await failure(caller, request, case)
    status = 400 if (_name(request), case) == ("gemini", "key") else status
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
    if case == "limited" and _name(request) != "bedrock":  # AWS names no time
        assert error.retry_after == WAIT


async def test_a_refusal_is_named(caller: ModelCaller, request: pytest.FixtureRequest) -> None:
    error = await failure(caller, request, "refused")
    named = _name(request) != "ollama"  # whose API knows no refusals
    assert error.kind == ("refused" if named else "empty")


async def test_a_schema_that_is_refused_is_left_out(
    caller: ModelCaller, request: pytest.FixtureRequest
) -> None:
    question = Question(
        role="arbiter", label="arbiter", model=id_of(_name(request)), prompt="Judge. case:schema",
        json_schema=SCHEMA, iteration=1, timeout=60,
    )  # fmt: skip
    reply = await Retrier(caller)(question)
    assert reply.text == ANSWER
