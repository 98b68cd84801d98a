"""What errors mean, as providers and their plugins really raise them."""

from __future__ import annotations

import socket
import ssl
import time
from types import SimpleNamespace
from typing import Any

import llm
import pytest

from consortium_mcp.adapters.models.failures import may_refuse_schema, member_error
from consortium_mcp.adapters.models.waits import wait_asked_for
from consortium_mcp.adapters.wire.last_response import LastResponse


def noted(status: int, body: str = "", **headers: str) -> LastResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return LastResponse(status, names, body)


class ClaudeRefusal(llm.ModelError):
    """As llm-anthropic raises it."""


class APIConnectionError(Exception):
    """As openai and anthropic raise it, with the cause behind it."""


class ClientError(Exception):
    """As botocore raises it."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"An error occurred ({code}) when calling the Converse operation")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


GEMINI_BUSY = '[{"error": {"code": 503, "message": "The model is overloaded.", "status": "X"}}]'
GEMINI_LIMIT = (
    '{"error": {"code": 429, "message": "You exceeded your current quota.", "details": [{"@type": '
    '"type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}]}}'
)
NO_QUOTA = '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
LOW = '{"error": {"message": "Your credit balance is too low to access the API"}}'


@pytest.mark.parametrize(
    ("error", "response", "kind", "passing", "said"),
    [
        # the wire knows what the plugin has lost
        (llm.ModelError("The model is overloaded."), noted(503, GEMINI_BUSY), "http", True, "503"),
        (llm.ModelError("slow down"), noted(429, GEMINI_LIMIT), "http", True, "429"),
        (llm.ModelError("bad key"), noted(401), "http", False, "HTTP 401"),
        (KeyError("candidates"), noted(500, "<html>oops"), "http", True, "HTTP 500"),
        (SystemExit(1), noted(429, '{"error": "too many requests"}'), "http", True, "too many"),
        (TypeError("'NoneType' object"), noted(404, '{"detail": "no such model"}'), "http", False,
         "no such model"),
        # money
        (llm.ModelError("x"), noted(429, NO_QUOTA), "http", False, "no credit is left"),
        (llm.ModelError("x"), noted(402), "http", False, "no credit is left"),
        (llm.ModelError("x"), noted(400, LOW), "http", False, "no credit is left"),
        # an error sent with status 200
        (TypeError("'NoneType' object is not subscriptable"),
         noted(200, '{"error": {"message": "Upstream is down", "code": 502}}'), "http", True,
         "Upstream is down"),
        (TypeError("'NoneType' object is not subscriptable"),
         noted(200, '{"error": {"message": "Upstream is down"}}'), "provider", True,
         "reports: Upstream is down"),
        # what exceptions and their causes keep
        (ClientError(429, "ThrottlingException"), None, "http", True, "Throttling"),
        (ClientError(403, "AccessDenied"), None, "http", False, "HTTP 403"),
        (caused(llm.ModelError("400: bad"), ClientError(400, "Bad")), None, "http", False, "400"),
        (type("NoCredentialsError", (Exception,), {})("Unable to locate credentials"), None, "key",
         False, "locate credentials"),
        # refusals
        (ClaudeRefusal("cyber"), noted(200), "refused", False, "refused to answer (cyber)"),
        (llm.ModelError("The prompt was blocked: SAFETY"), noted(200), "refused", False, "SAFETY"),
        # connections: the innermost cause, in words
        (caused(APIConnectionError("Connection error."), socket.gaierror(-2, "Name not known")),
         None, "connection", True, "the host name is not known"),
        (caused(APIConnectionError("Connection error."), ConnectionRefusedError(111, "refused")),
         None, "connection", True, "nothing answers at that address"),
        (caused(APIConnectionError("Connection error."),
                caused(OSError("tls"), ssl.SSLCertVerificationError(1, "self-signed"))),
         None, "connection", False, "certificate is not trusted"),
        (caused(APIConnectionError("Connection error."),
                type("ProxyError", (Exception,), {})("407")),
         None, "connection", True, "the proxy refused (407)"),
        (caused(APIConnectionError("Connection error."), OSError("the line is cut")), None,
         "connection", True, "the line is cut"),
        (ExceptionGroup("all", [ConnectionResetError("reset")]), None, "connection", True, "reset"),
        # words, last of all
        (llm.ModelError("503: overloaded, try again in 2 minutes"), None, "provider", True, "503"),
        (llm.ModelError("no idea"), None, "error", False, "no idea"),
        (SystemExit(3), None, "error", False, "tried to end the process"),
    ],
)  # fmt: skip
def test_an_error_is_told_by_the_wire_its_causes_and_its_words(
    error: BaseException, response: LastResponse | None, kind: str, said: str, *, passing: bool
) -> None:
    found = member_error(error, response)
    assert (found.kind, found.passing) == (kind, passing), str(found)
    assert said in str(found)


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"retry-after": "3"}, "", 3),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, "", 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", None),
        ({}, GEMINI_LIMIT, 20),
        ({}, "Rate limit reached. Please try again in 20s.", 20),
        ({}, "Please try again in 6m0.5s.", 360.5),
        ({}, "Please retry in 350ms", 0.35),
        ({}, "Wait for 20 seconds and go on", 20),
        ({"x-ratelimit-reset-requests": "1m2s", "x-ratelimit-remaining-requests": "0"}, "", 62),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "5",
          "x-ratelimit-reset-tokens": "90ms", "x-ratelimit-remaining-tokens": "0"}, "", 0.09),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-1"}, "", None),
        ({"x-ratelimit-reset": "soon"}, "", None),
        ({}, "I waited 3 hours for nothing", None),
        ({}, "", None),
    ],
)  # fmt: skip
def test_the_wait_that_a_provider_asks_for_is_read(
    headers: dict[str, str], text: str, seconds: float | None
) -> None:
    assert wait_asked_for(headers, text) == (
        seconds if seconds is None else pytest.approx(seconds, abs=2)
    )


@pytest.mark.parametrize(
    ("error", "response", "refused"),
    [
        (ValueError("json_schema is not supported"), LastResponse(), True),
        (llm.ModelError("x"), noted(400, '{"error": {"message": "response_format: bad"}}'), True),
        (llm.ModelError("No endpoints that can handle the requested parameters"), noted(404), True),
        (llm.ModelError("the json_schema engine crashed"), noted(500), False),
        (llm.ModelError("bad key"), noted(401), False),
    ],
)
def test_a_refused_schema_is_told_from_a_refused_question(
    error: Exception, response: LastResponse, *, refused: bool
) -> None:
    assert may_refuse_schema(error, response) is refused


def test_an_error_object_is_read_in_the_forms_that_providers_send() -> None:
    read: list[Any] = [noted(400, body).error.get("message") for body in (
        '{"error": {"message": "a"}}', '[{"error": {"message": "b"}}]', '{"error": "c"}',
        '{"message": "d"}', '{"detail": "e"}', "<html>", "[]", "3",
    )]  # fmt: skip
    assert read == ["a", "b", "c", "d", "e", None, None, None]
    assert noted(200, '{"message": {"content": "fine"}}').error == {}
    assert SimpleNamespace(**vars(noted(200))).status == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            429,
            '{"error": {"message": "You have used all available credits"}}',
        ),
        (429, '{"error": {"code": "billing_hard_limit_reached", "message": "no"}}'),
        (429, '{"error": {"type": "exceeded_current_quota_error", "message": "suspended"}}'),
        (403, '{"error": {"message": "Insufficient credits"}}'),
        (200, '{"error": {"code": 402, "message": "Insufficient credits"}}'),
        (200, '{"error": {"message": "insufficient balance"}}'),
    ],
)
def test_where_no_credit_is_left_nobody_asks_again(status: int, body: str) -> None:
    error = member_error(TypeError("'NoneType' object is not subscriptable"), noted(status, body))
    assert error.permanent
    assert not error.passing


def test_an_error_with_status_200_keeps_its_code_and_its_wait() -> None:
    body = (
        '{"error": {"code": 429, "message": "slow down",'
        ' "metadata": {"headers": {"Retry-After": "5"}}}}'
    )
    error = member_error(TypeError("no choices"), noted(200, body))
    assert "HTTP 429: " in str(error)
    assert (error.passing, error.retry_after) == (True, 5)
    refused = member_error(TypeError("no choices"), noted(200, '{"error": {"code": 401}}'))
    assert refused.permanent


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": {"code": "content_filter", "message": "content management policy"}}'),
        (400, '{"error": {"code": "invalid_prompt", "message": "your prompt was flagged"}}'),
        (403, '{"error": {"message": "input was flagged", "metadata": {"reasons": ["x"]}}}'),
    ],
)
def test_a_refusal_with_a_status_is_a_refusal(status: int, body: str) -> None:
    error = member_error(llm.ModelError("an error"), noted(status, body))
    assert (error.kind, error.permanent) == ("refused", True)


def test_what_the_model_said_before_its_stream_broke_is_no_refusal_and_no_schema_fault() -> None:
    answer = 'data: {"choices": [{"delta": {"content": "flagged by content_filter; json_schema"}}]}'
    seen = LastResponse(200, {}, answer, is_stream=True)
    error = APIConnectionError("Connection error.")
    assert member_error(error, seen).kind == "connection"
    assert not may_refuse_schema(error, seen)


def test_claudes_refusal_has_its_tokens_and_the_text_before_it() -> None:
    events = (
        'data: {"type": "message_start", "message": {"usage": {"input_tokens": 7}}}\n'
        'data: {"type": "content_block_delta", "delta": {"text": "I started, then"}}\n'
        'data: {"type": "message_delta", "usage": {"output_tokens": 3}}\n'
    )
    seen = LastResponse(200, {}, events, is_stream=True, read_to_end=True)
    error = member_error(ClaudeRefusal("refused"), seen)
    assert (error.kind, error.spent.input_tokens, error.spent.output_tokens) == ("refused", 7, 3)
    assert "I started, then" in str(error)


def test_a_key_that_no_header_may_have_is_a_key_error() -> None:
    error = member_error(APIConnectionError("Illegal header value b'[key]'"))
    assert (error.kind, error.permanent) == ("key", True)


@pytest.mark.parametrize(
    ("status", "message", "may"),
    [
        (400, "JSON mode is not enabled for models/gemma-3", True),
        (400, "failed to parse grammar", True),
        (422, "whatever", True),
        (404, "no endpoints found that support the requested parameters", True),
        (400, "API key not valid", False),
        (400, "maximum context length is 8192 tokens", False),
        (429, "slow down", False),
        (500, "broken", False),
    ],
)
def test_a_request_that_is_called_malformed_may_be_the_schemas_fault(
    status: int,
    message: str,
    may: bool,  # noqa: FBT001
) -> None:
    assert may_refuse_schema(llm.ModelError(message), noted(status)) is may


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -0500"}, "", None),
        ({"x-ratelimit-reset-x": "0001-01-01T00:00:00Z"}, "", None),
        ({"retry-after": "20s"}, "", 20),
        ({"x-ms-retry-after-ms": "1500"}, "", 1.5),
        ({"ratelimit": '"default";r=0;t=30'}, "", 30),
        ({"x-ratelimit-reset": "9", "x-ratelimit-remaining": "0.0"}, "", 9),
        ({"retry-after": "99999999999"}, "", None),
        ({}, "Try again in 20 secs", 20),
        ({}, "resets in 20s", 20),
        ({}, "try again in 1 minute and 5 seconds", 65),
        ({}, "Please try again. Error 500 s3 bucket", None),
    ],
)
def test_odd_waits_are_read_or_let_be(
    headers: dict[str, str], text: str, seconds: float | None
) -> None:
    found = wait_asked_for(headers, text)
    assert found is None if seconds is None else found == pytest.approx(seconds, abs=5)


def test_a_reset_in_milliseconds_since_1970_is_read() -> None:
    found = wait_asked_for({"x-ratelimit-reset": str((time.time() + 60) * 1000)}, "")
    assert found == pytest.approx(60, abs=30)


def test_a_plugin_that_notices_a_broken_stream_may_be_asked_again() -> None:
    broken = LastResponse(200, {}, 'data: {"x": 1}', is_stream=True, read_to_end=True)
    error = member_error(llm.ModelError("ended the stream without a final response"), broken)
    assert (error.kind, error.passing) == ("broken_off", True)
