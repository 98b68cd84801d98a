from __future__ import annotations

import json
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import llm
import pytest

from consortium_mcp.adapters.calls.listening import listening
from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.calls.provider_responses import MAX_REPLY
from consortium_mcp.adapters.calls.retries import Retrier
from consortium_mcp.adapters.models.failures import member_error
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.prices import Prices
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from tests.support.fake_models import FakeAsync, FakeSync, models, plugin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.fake_models import _Fake

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("settings")]


def question(model: str, **more: Any) -> Question:  # noqa: ANN401
    values = {"role": "member", "label": "A", "prompt": "How many?", "iteration": 1, "timeout": 10}
    return Question.model_validate(values | {"model": model} | more)


async def ask(fake: _Fake, **more: Any) -> Reply:  # noqa: ANN401
    with plugin("fake", models(fake)):
        return await ModelCaller(Registry(), Limits())(question(fake.model_id, **more))


def priced(user_dir: Path) -> Prices:
    """Prices at which a fake's 7 tokens in and 3 out cost 13 cents."""
    file = user_dir / "prices.toml"
    file.write_text("[m]\ninput = 10_000\noutput = 20_000\n", encoding="utf-8")
    return Prices(file)


async def failure(fake: _Fake, **more: Any) -> MemberError:  # noqa: ANN401
    with pytest.raises(MemberError) as caught:
        await ask(fake, **more)
    return caught.value


@pytest.mark.parametrize("kind", [FakeAsync, FakeSync])
async def test_a_reply_has_its_text_time_and_tokens(kind: type[_Fake]) -> None:
    fake = kind("m", "42")
    reply = await ask(fake, system="Be brief.")
    assert (reply.text, reply.input_tokens, reply.output_tokens) == ("42", 7, 3)
    assert reply.seconds >= 0
    assert reply.seconds == round(reply.seconds, 3)
    assert reply.warnings == ()
    assert fake.prompts[0].prompt == "How many?"
    assert fake.prompts[0].system == "Be brief."


async def test_async_models_are_not_streamed_and_sync_ones_are() -> None:
    plain, streaming = FakeAsync("a", "x"), FakeSync("s", "x")
    await ask(plain)
    await ask(streaming)
    assert plain.streamed == [False]
    assert streaming.streamed == [True]


@pytest.mark.parametrize("kind", [FakeAsync, FakeSync])
async def test_who_listens_hears_the_reply_as_it_comes(kind: type[_Fake]) -> None:
    fake, heard = kind("m", "42"), list[str]()
    with listening(lambda asked: heard.append if asked.role == "arbiter" else None):
        member = await ask(fake)
        assert heard == []
        arbiter = await ask(fake, role="arbiter")
    assert heard == ["42"]
    assert (member.text, member.output_tokens) == (arbiter.text, arbiter.output_tokens)
    assert fake.streamed == [kind is FakeSync, True]
    await ask(fake, role="arbiter")
    assert heard == ["42"]


@pytest.mark.parametrize("kind", [FakeAsync, FakeSync])
async def test_a_model_that_hangs_is_given_up_at_the_deadline(kind: type[_Fake]) -> None:
    behaviour = 30.0 if kind is FakeAsync else threading.Event()
    error = await failure(kind("m", behaviour), timeout=0.09999)  # as a retry is left it
    assert error.kind == "timeout"
    assert str(error) == "no answer within 0.1 s"
    if isinstance(behaviour, threading.Event):
        behaviour.set()


@pytest.mark.parametrize("kind", [FakeAsync, FakeSync])
async def test_what_a_plugin_raises_becomes_data(kind: type[_Fake]) -> None:
    error = await failure(kind("m", RuntimeError("it broke")))
    assert str(error) == "RuntimeError: it broke"


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_reply_is_an_error(text: str) -> None:
    assert (await failure(FakeAsync("m", text))).kind == "empty"


async def test_text_that_cannot_be_stored_is_cleaned() -> None:
    assert (await ask(FakeAsync("m", "a\ud800\x00b"))).text == "a?b"


async def test_an_unknown_model_fails_for_good() -> None:
    with pytest.raises(MemberError) as caught:
        await ModelCaller(Registry(), Limits())(question("nope"))
    assert caught.value.permanent
    assert caught.value.kind == "unknown_model"


async def test_a_schema_goes_only_to_models_that_support_one() -> None:
    schema = {"type": "object"}
    able, unable = FakeAsync("able", "{}", supports_schema=True), FakeAsync("unable", "x")
    await ask(able, json_schema=schema)
    await ask(unable, json_schema=schema)
    assert able.prompts[0].schema == schema
    assert unable.prompts[0].schema is None


async def test_options_a_model_does_not_know_are_left_out_and_said() -> None:
    fake = FakeAsync("m", "x")
    reply = await ask(fake, options={"temperature": 0.5, "wings": 2})
    assert fake.prompts[0].options.model_dump() == {"temperature": 0.5}
    assert reply.warnings == ("m has no option wings; not sent",)


@pytest.mark.parametrize(
    "response_json",
    [
        {"finish_reason": "length"},
        {"choices": [{"finish_reason": "length"}]},
        {"stop_reason": "max_tokens"},
        {"messageStop": {"stopReason": "max_tokens"}},
        {"done_reason": "length"},
        {"candidates": [{"finishReason": "MAX_TOKENS"}]},
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ],
)
async def test_a_reply_cut_short_says_so(response_json: dict[str, Any]) -> None:
    reply = await ask(FakeAsync("m", "It is 4", response_json=response_json))
    assert "cut short by the provider" in reply.warnings[0]


@pytest.mark.parametrize(
    "response_json",
    [None, {}, {"finish_reason": "stop"}, {"choices": []}, {"choices": [None]}, {"choices": 3}],
)
async def test_other_endings_are_nothing_to_speak_of(response_json: Any) -> None:  # noqa: ANN401
    assert (await ask(FakeAsync("m", "42", response_json=response_json))).warnings == ()


@pytest.mark.parametrize(
    "response_json",
    [
        {"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]},
        {"choices": [{"finish_reason": "stop", "message": {"refusal": "I cannot."}}]},
        {"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]},
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"output": [{"content": [{"type": "refusal", "refusal": "I cannot."}]}]},
    ],
)
async def test_a_refusal_is_named_and_final(response_json: dict[str, Any]) -> None:
    error = await failure(FakeAsync("m", "", response_json=response_json))
    assert (error.kind, error.permanent) == ("refused", True)


async def test_an_empty_reply_says_why_it_ended_and_what_it_cost() -> None:
    error = await failure(FakeAsync("m", "", response_json={"finish_reason": "length"}))
    assert "it ended by length" in str(error)
    assert (error.kind, error.spent.input_tokens, error.spent.output_tokens) == ("empty", 7, 3)


async def test_a_call_is_priced_whether_it_succeeds_or_fails(tmp_path: Path) -> None:
    with plugin("fake", models(FakeAsync("m", "42"), FakeAsync("free", "42"))):
        caller = ModelCaller(Registry(), Limits(), priced(tmp_path))
        reply, unpriced = await caller(question("m")), await caller(question("free"))
    assert [reply.cost_usd, reply.priced_calls] == pytest.approx([0.13, 1])
    assert (unpriced.cost_usd, unpriced.priced_calls) == (None, 0)
    with plugin("fake", models(FakeAsync("m", "", response_json={"finish_reason": "length"}))):
        caller = ModelCaller(Registry(), Limits(), priced(tmp_path))
        with pytest.raises(MemberError) as caught:
            await caller(question("m"))
    spent = caught.value.spent
    assert [spent.cost_usd, spent.priced_calls] == pytest.approx([0.13, 1])


async def test_a_failure_inside_a_reply_is_one() -> None:
    inside = {"status": "failed", "error": {"message": "out of capacity"}}
    error = await failure(FakeAsync("m", "half an ans", response_json=inside))
    assert "out of capacity" in str(error)
    assert error.passing


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 5, "output_tokens": 4}, (5, 4)),
        ({"prompt_tokens": 5, "completion_tokens": 4}, (5, 4)),
        ({"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 5}}, (5, None)),
        ({"tokens": 9}, (None, None)),
        ("many", (None, None)),
    ],
)
async def test_tokens_that_stand_only_in_the_response_count(
    usage: Any,  # noqa: ANN401 (whatever a provider sends)
    tokens: tuple[int | None, int | None],
) -> None:
    class Silent(FakeAsync):
        def _note(self, prompt: llm.Prompt, response: Any, *, stream: bool) -> None:  # noqa: ANN401
            super()._note(prompt, response, stream=stream)
            response.set_usage(input=None, output=None)

    reply = await ask(Silent("m", "42", response_json={"usage": usage}))
    assert (reply.input_tokens, reply.output_tokens) == tokens


async def test_usage_that_is_no_number_of_tokens_is_no_number() -> None:
    class Odd(FakeAsync):
        def _note(self, prompt: llm.Prompt, response: Any, *, stream: bool) -> None:  # noqa: ANN401
            super()._note(prompt, response, stream=stream)
            response.set_usage(input=12.5, output="many")

    reply = await ask(Odd("m", "42"))
    assert (reply.input_tokens, reply.output_tokens) == (None, None)
    assert reply.warnings == ("the provider reported no token usage",)


async def test_a_runaway_reply_is_cut_and_that_is_said() -> None:
    reply = await ask(FakeAsync("m", "x" * (MAX_REPLY + 1)))
    assert len(reply.text) == MAX_REPLY
    assert "characters" in reply.warnings[0]


async def test_a_plugin_that_calls_exit_ends_its_call_only() -> None:
    fake = FakeSync("m", SystemExit(3))
    with plugin("fake", models(fake)):
        calls = ModelCaller(Registry(), Limits())
        with pytest.raises(MemberError, match="tried to end the process"):
            await calls(question("m"))
        fake.behaviour = "42"
        assert (await calls(question("m"))).text == "42"


async def test_a_plugins_own_timeout_is_no_deadline_of_ours() -> None:
    error = await failure(FakeAsync("m", TimeoutError("socket")))
    assert (error.kind, error.passing) == ("connection", True)


async def test_who_waits_for_its_turn_holds_no_slot() -> None:
    stuck = threading.Event()
    slow, quick = FakeSync("slow", stuck), FakeAsync("quick", "42")
    with plugin("gguf", models(slow, quick)):
        calls = ModelCaller(Registry(), Limits(total=2))
        async with anyio.create_task_group() as group:
            group.start_soon(calls, question("slow"))
            group.start_soon(calls, question("slow"))
            await anyio.sleep(0.05)
            assert (await calls(question("quick", timeout=60))).text == "42"
            stuck.set()


async def test_a_model_of_this_process_is_called_one_at_a_time_and_two_at_once() -> None:
    running: set[str] = set()
    most: dict[str, int] = {"all": 0, "one": 0}
    meeting = threading.Barrier(2, timeout=60)

    def behave(name: str) -> Any:  # noqa: ANN401
        def answer(_prompt: llm.Prompt) -> str:
            most["one"] = max(most["one"], int(name in running) + 1)
            running.add(name)
            meeting.wait()  # passes only if the other model is running at this moment too
            running.discard(name)
            return "x"

        return answer

    one, two = FakeSync("one", behave("one")), FakeSync("two", behave("two"))
    with plugin("gguf", models(one, two)):
        calls = ModelCaller(Registry(), Limits())
        async with anyio.create_task_group() as group:
            for name in ("one", "two", "one", "two"):
                group.start_soon(calls, question(name))
    assert most["one"] == 1


async def test_calls_of_a_sync_model_on_the_network_run_at_once() -> None:
    meeting = threading.Barrier(3, timeout=60)

    def answer(_prompt: llm.Prompt) -> str:
        meeting.wait()  # passes only if all three calls are running
        return "42"

    with plugin("grok", models(FakeSync("m", answer))):
        calls = ModelCaller(Registry(), Limits())
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(calls, question("m"))


@pytest.mark.parametrize("provider", ["grok", "gguf"])
async def test_a_call_that_is_given_up_never_keeps_the_next_one_from_the_model(
    provider: str,
) -> None:
    stuck = threading.Event()
    fake = FakeSync("m", stuck)
    with plugin(provider, models(fake)):
        calls = ModelCaller(Registry(), Limits(per_provider=1))
        for asked in (0, 1):
            for seconds in (0.05, 1, 10):  # until a busy machine has begun the call, too
                with pytest.raises(MemberError, match="no answer"):
                    await calls(question("m", timeout=seconds))
                if len(fake.prompts) > asked:
                    break
        fake.behaviour = "42"
        before = len(fake.prompts)
        assert (await calls(question("m"))).text == "42"
        assert before >= 2
        assert len(fake.prompts) == before + 1
        stuck.set()


class _SchemaRefused(FakeAsync):
    supports_schema = True
    refusal: Any = ValueError("json_schema is not supported by this model")

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001, ARG002
        self._note(prompt, response, stream=stream)
        if prompt.schema is not None:
            if isinstance(self.refusal, BaseException):
                raise self.refusal
            yield self.refusal
        else:
            yield "<verdict>…</verdict>"


@pytest.mark.parametrize(
    "refusal",
    [
        ValueError("json_schema is not supported by this model"),
        llm.ModelError("404: No endpoints found that can handle the requested parameters."),
        "",
    ],
)
async def test_a_schema_that_is_refused_is_left_out_at_once_and_from_then_on(
    refusal: object,
) -> None:
    fake = _SchemaRefused("m", "", refusal=refusal)
    with plugin("fake", models(fake)):
        asked = Retrier(ModelCaller(Registry(), Limits()))
        schema = {"type": "object"}
        first = await asked(question("m", json_schema=schema))
        assert (first.text, first.tries) == ("<verdict>…</verdict>", 2)
        assert (await asked(question("m", json_schema=schema))).tries == 1
        assert [bool(prompt.schema) for prompt in fake.prompts] == [True, False, False]


async def test_the_arguments_of_the_only_tool_call_are_the_text() -> None:
    class Forced(FakeAsync):
        async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
            async for text in super().execute(prompt, stream, response, conversation):
                yield text
            response.add_tool_call(llm.ToolCall(name="output", arguments={"synthesis": "42"}))

    assert (await ask(Forced("m", ""))).text == '{"synthesis": "42"}'
    assert (await ask(Forced("m", "words"))).text == "words"


async def test_a_system_prompt_that_a_plugin_drops_goes_into_the_prompt() -> None:
    fake = FakeSync("m", "42")
    with plugin("cerebras", models(fake)):
        await ModelCaller(Registry(), Limits())(question("m", system="Be brief."))
    assert (fake.prompts[0].prompt, fake.prompts[0].system) == ("Be brief.\n\nHow many?", "")


async def test_a_provider_that_says_wait_holds_back_its_other_calls() -> None:
    limited = FakeAsync("limited", _Limited("20"))
    other = FakeAsync("other", "42")
    with plugin("fake", models(limited, other)):
        calls = ModelCaller(Registry(), Limits())
        with pytest.raises(MemberError, match="HTTP 429"):
            await calls(question("limited"))
        with pytest.raises(MemberError, match="fake asked to be left alone for another") as held:
            await calls(question("other", timeout=5))
        assert (held.value.kind, other.prompts) == ("rate_limit", [])


class _Limited(Exception):
    """As the SDKs raise it, with the response and its headers."""

    def __init__(self, seconds: str) -> None:
        super().__init__("slow down")
        self.status_code = 429
        self.response = SimpleNamespace(status_code=429, headers={"retry-after": seconds})


async def test_reasoning_is_not_asked_for_and_the_users_own_options_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    saved = {"m": {"temperature": 0.5, "unknown": 1}}
    (tmp_path / "model_options.json").write_text(json.dumps(saved), encoding="utf-8")
    fake = FakeAsync("m", "42")
    await ask(fake)
    await ask(fake, options={"temperature": 0.1})
    assert [vars(prompt.options)["temperature"] for prompt in fake.prompts] == [0.5, 0.1]
    assert all(prompt.hide_reasoning for prompt in fake.prompts)


async def test_an_async_plugin_that_blocks_its_loop_holds_up_nobody_else() -> None:
    released = threading.Event()

    def block(_prompt: llm.Prompt) -> str:
        released.wait(60)  # as llm-lmstudio does while it loads a model
        return "late"

    blocking, other = FakeAsync("blocking", block), FakeAsync("other", "42")
    with plugin("lmstudio", models(blocking)), plugin("other", models(other)):
        calls = ModelCaller(Registry(), Limits())
        async with anyio.create_task_group() as group:
            group.start_soon(calls, question("blocking"))
            while not blocking.prompts:  # noqa: ASYNC110 (set in another thread)
                await anyio.sleep(0.01)
            assert (await calls(question("other"))).text == "42"
            released.set()


async def test_cancelling_a_call_ends_it_at_once() -> None:
    with plugin("fake", models(FakeAsync("m", 30.0))):
        with anyio.move_on_after(0.05) as scope:
            await ModelCaller(Registry(), Limits())(question("m"))
    assert scope.cancelled_caught


class _HttpError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"Error code: {status}, your key sk-abcdefghijklmnop1234 is wrong")
        self.status_code = status


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refusals_are_for_good(status: int) -> None:
    error = member_error(_HttpError(status))
    assert error.permanent
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_passing_faults_are_not(status: int) -> None:
    assert not member_error(_HttpError(status)).permanent


def test_keys_never_reach_a_message() -> None:
    message = str(member_error(_HttpError(401)))
    assert "sk-abc" not in message
    assert "[key]" in message


def test_a_missing_key_keeps_llms_own_advice() -> None:
    error = member_error(llm.NeedsKeyException("No key found - add one"))
    assert str(error) == "No key found - add one"
    assert error.permanent


@pytest.mark.parametrize("words", ["429 Too Many Requests", "Overloaded", "rate limit reached"])
def test_a_plugins_own_error_that_sounds_passing_is(words: str) -> None:
    assert member_error(llm.ModelError(words)).passing
    assert not member_error(llm.ModelError("unknown field")).passing


def test_a_reply_that_is_no_json_is_malformed_and_no_bad_request() -> None:
    error = member_error(json.JSONDecodeError("no", "<html>", 0))
    assert (error.kind, error.passing, error.permanent) == ("malformed", True, False)


def test_a_status_may_hide_in_the_response() -> None:
    class Response:
        status_code = 404

    error = Exception("gone")
    error.response = Response()  # type: ignore[attr-defined]
    assert member_error(error).permanent


def test_messages_are_short_unquoted_and_never_empty() -> None:
    assert "(KeyError: plain)" in str(member_error(KeyError("plain")))
    assert str(member_error(RuntimeError())) == "RuntimeError: no further explanation"
    assert len(str(member_error(RuntimeError("x" * 9999)))) < 450
    assert member_error(ValueError("bad option")).permanent


async def test_a_blocked_loop_is_left_behind_when_its_call_is_given_up() -> None:
    ended = threading.Event()
    asked: list[str] = []

    def behave(prompt: llm.Prompt) -> str:
        asked.append(prompt.prompt)
        if len(asked) == 1:
            ended.wait(60)
        return "42"

    fake = FakeAsync("m", behave)
    with plugin("blocking", models(fake)):
        calls = ModelCaller(Registry(), Limits())
        try:
            with pytest.raises(MemberError, match="no answer within"):
                await calls(question("m", timeout=1))
            assert (await calls(question("m", timeout=60))).text == "42"
        finally:
            ended.set()


async def test_a_hold_counts_for_those_who_wait_for_a_slot() -> None:
    limited = MemberError("HTTP 429", kind="http", passing=True, retry_after=1.0)
    asked: list[float] = []

    def behave(_prompt: llm.Prompt) -> str:
        asked.append(anyio.current_time())
        if len(asked) == 1:
            raise limited
        return "42"

    with plugin("one", models(FakeAsync("m", behave))):
        calls = ModelCaller(Registry(), Limits(per_provider=1))

        async def one() -> None:
            with suppress(MemberError):
                await calls(question("m", timeout=60))

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            group.start_soon(one)
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 0.99


async def test_a_key_that_a_provider_echoes_in_a_reply_of_status_200_is_blanked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_API_KEY", "0a1b2c3d4e5f")
    inside = {"status": "failed", "error": {"message": "you sent 0a1b2c3d4e5f"}}
    error = await failure(FakeAsync("m", "half", response_json=inside))
    assert "you sent [key]" in str(error)


@pytest.mark.parametrize(
    "response_json",
    [
        {"choices": [{"error": {"message": "upstream went away"}, "finish_reason": "stop"}]},
        {"error": {"message": "upstream went away"}},
    ],
)
async def test_an_error_beside_a_text_is_an_error(response_json: dict[str, Any]) -> None:
    error = await failure(FakeAsync("m", "half", response_json=response_json))
    assert "upstream went away" in str(error)
    assert error.passing


@pytest.mark.parametrize(
    "response_json",
    [
        {"choices": [{"finish_reason": "stop", "message": {"refusal": "I cannot."}}]},
        {"output": [{"content": [{"type": "refusal", "refusal": "I cannot."}]}]},
    ],
)
async def test_a_refusal_has_the_models_words(response_json: dict[str, Any]) -> None:
    error = await failure(FakeAsync("m", "", response_json=response_json))
    assert "I cannot." in str(error)


async def test_a_model_that_is_refused_without_a_schema_too_keeps_its_schema() -> None:
    fake = FakeAsync("m", ValueError("400 whatever"), supports_schema=True)
    vars(fake)["behaviour"] = _Refused()
    with plugin("fake", models(fake)):
        calls = Retrier(ModelCaller(Registry(), Limits()))
        with pytest.raises(MemberError, match="HTTP 400"):
            await calls(question("m", json_schema={"type": "object"}))
        fake.behaviour = "{}"
        await calls(question("m", json_schema={"type": "object"}))
    assert [prompt.schema is None for prompt in fake.prompts] == [False, True, False]


class _Refused(Exception):
    """A request that is called malformed, with and without a schema."""

    status_code = 400
