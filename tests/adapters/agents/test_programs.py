"""What the programs' output means, in the forms that the real ones have written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.codex import Codex, strict
from consortium_mcp.adapters.agents.gemini import Gemini
from consortium_mcp.adapters.agents.programs import Ended, failure
from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from consortium_mcp.adapters.agents.programs import Program


def claude(result: str, status: int | None) -> Ended:
    said = {"is_error": True, "api_error_status": status, "result": result}
    return Ended(1, json.dumps(said), "")


def codex(message: str) -> Ended:
    events: list[dict[str, Any]] = [
        {"type": "item.completed", "item": {"type": "error", "message": "a mere warning"}},
        {"type": "error", "message": message},
        {"type": "turn.failed", "error": {"message": message}},
    ]
    return Ended(1, "\n".join(json.dumps(event) for event in events), "")


def gemini(message: str, code: int) -> Ended:
    inner = json.dumps({"error": {"message": message, "code": code}})
    said = json.dumps({"session_id": "x", "error": {"message": inner, "code": code}}, indent=2)
    return Ended(code % 256, "", f"Warning: no colours\n{said}\n")


@pytest.mark.parametrize(
    ("program", "ended", "kind", "permanent", "passing"),
    [
        (Claude(), claude("Invalid API key · Please run /login", None), "key", True, False),
        (Claude(), claude("Failed to authenticate. API Error: 401 no", 401), "key", True, False),
        (Claude(), claude("Credit balance is too low", 400), "http", True, False),
        (Claude(), claude("You've hit your limit · resets 3pm", 429), "rate_limit", True, False),
        (Claude(), claude("Request rejected (429) · slow down", 429), "rate_limit", False, True),
        (Claude(), claude("There's an issue with the selected model (m).", 404),
         "unknown_model", True, False),
        (Claude(), claude("API Error: 500 broken", 500), "agent", False, True),
        (Claude(), Ended(1, "", "\x1b[31merror: unknown option '--tools'\x1b[0m"),
         "version", True, False),
        (Claude(), Ended(137, "", ""), "agent", False, False),
        (Codex(), codex("unexpected status 401 Unauthorized: no"), "key", True, False),
        (Codex(), codex("unexpected status 402 Payment Required: no"), "http", True, False),
        (Codex(), codex("You've hit your usage limit. Try again at 3:00 PM."),
         "rate_limit", True, False),
        (Codex(), codex("exceeded retry limit, last status: 429 Too Many Requests"),
         "rate_limit", False, True),
        (Codex(), codex("We’re currently experiencing high demand"), "agent", False, True),
        (Codex(), Ended(2, "", "error: unexpected argument '--ephemeral' found"),
         "version", True, False),
        (Codex(), Ended(0, "", ""), "agent", False, False),
        (Gemini(), gemini("API key not valid. Please pass a valid API key.", 401),
         "key", True, False),
        (Gemini(), gemini("this is not found", 404), "unknown_model", True, False),
        (Gemini(), gemini("the model is overloaded", 503), "agent", False, True),
        (Gemini(), Ended(41, "", "Invalid auth method selected."), "key", True, False),
        (Gemini(), Ended(1, "", "Unknown arguments: skip-trust"), "version", True, False),
    ],
)  # fmt: skip
def test_errors_are_told_apart_in_the_programs_own_words(
    program: Program,
    ended: Ended,
    kind: str,
    permanent: bool,  # noqa: FBT001
    passing: bool,  # noqa: FBT001
) -> None:
    with pytest.raises(MemberError) as caught:
        program.read(ended)
    error = caught.value
    assert (error.kind, error.permanent, error.passing) == (kind, permanent, passing), str(error)
    assert "\x1b" not in str(error)
    assert "warning" not in str(error)


def test_the_time_when_a_limit_ends_is_told() -> None:
    error = failure(Claude(), "You've hit your limit · resets 3pm (Europe/Vienna)")
    assert "resets 3pm (Europe/Vienna)" in str(error)


def test_an_answer_by_a_schema_is_its_json() -> None:
    said = {"result": "done", "structured_output": {"x": "ß"}, "usage": {}}
    answer = Claude().read(Ended(0, json.dumps(said), ""))
    assert answer.text == '{"x": "ß"}'
    assert (answer.input_tokens, answer.output_tokens, answer.cost_usd) == (None, None, None)


@pytest.mark.parametrize(
    ("program", "output", "state"),
    [
        (Claude(), '{"loggedIn": true, "authMethod": "claude.ai"}', "yes"),
        (Claude(), '{"loggedIn": false}', "no"),
        (Claude(), "error: unknown command 'auth'", "unknown"),
        (Codex(), "Logged in using ChatGPT", "yes"),
        (Codex(), "WARNING: no PATH aliases\nNot logged in", "no"),
        (Codex(), "", "unknown"),
        (Gemini(), "", "unknown"),
    ],
)
def test_whether_somebody_is_signed_in_is_read(program: Program, output: str, state: str) -> None:
    assert program.read_status(Ended(0, output, "")) == state


def test_a_schema_is_made_strict_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    outer = {"type": "object", "properties": {"a": {"type": "array", "items": inner}}}
    made = strict(outer)
    assert made["required"] == ["a"]
    assert made["properties"]["a"]["items"]["required"] == ["b"]
    assert made["properties"]["a"]["items"]["additionalProperties"] is False
    assert "required" not in outer
