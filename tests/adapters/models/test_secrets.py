"""No key gets into a text that leaves a call, and nothing else is taken out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from consortium_mcp.adapters.models.secrets import BLANKED, without_keys, without_secrets

if TYPE_CHECKING:
    from pathlib import Path


KEYS = ["AQ.Ab8RN6Lx1qTz", "cpk_0123456789abcdef", "pplx-abcdefghijk", "f00dfacecafe0123456789"]


@pytest.mark.parametrize("key", [*KEYS, "with-a-line\nbreak-0123456789"])
def test_a_stored_key_is_blanked_wherever_it_stands(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    (tmp_path / "keys.json").write_text(json.dumps({"x": key}), encoding="utf-8")
    for text in (f"Illegal header value b'{key}'", " ".join(f"bad {key}!".split())):
        shown = without_secrets(text)
        assert not any(part in shown for part in key.split())


def test_a_key_in_a_variable_is_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "0a1b2c3d4e5f")
    assert without_secrets("you sent 0a1b2c3d4e5f") == "you sent [key]"


@pytest.mark.parametrize(
    "text",
    [
        "Set TOGETHER_API_KEY or run llm keys set together",
        "the key TOGETHER_API_KEY is missing",
        "Token generation_failed in the middle",
        "an api key is required for this model",
        "your API key: none",
    ],
)
def test_words_about_keys_are_no_keys(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "TOGETHER_API_KEY")
    monkeypatch.setenv("THIRD_API_KEY", "required")
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "key",
    ["ABCDEF0123456789ABCDEF0123456789", "AKIAIOSFODNN7EXAMPLE", "with\\back-0123",
     "späße-01234567", "with/slash+0123456"],
)  # fmt: skip
def test_a_key_is_found_in_every_form_in_which_it_is_echoed(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    (tmp_path / "keys.json").write_text(json.dumps({"x": {"inner": [key]}}), encoding="utf-8")
    forms = (key, repr(key.encode())[2:-1], json.dumps(key)[1:-1], quote(key, safe=""),
             key.encode().decode("latin-1"))  # fmt: skip
    for form in forms:
        assert without_keys(f"bad: <{form}>") == f"bad: <{BLANKED}>"


def test_a_key_broken_into_short_parts_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    (tmp_path / "keys.json").write_text(json.dumps({"x": "Zq7abcd\nfgh1234\nxxyy991"}))
    assert without_keys("bad Zq7abcd\\nfgh1234 xxyy991!") == f"bad {BLANKED}!"


@pytest.mark.parametrize("name", ["AWS_BEARER_TOKEN_BEDROCK", "LLM_PERPLEXITY_KEY", "MY_API_KEY"])
def test_variables_for_keys_count(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0a1b2c3d4e5f")
    assert without_keys("0a1b2c3d4e5f") == BLANKED


@pytest.mark.parametrize(
    "text",
    [
        "sorted(d.items(), key=itemgetter(1))",
        "key: 3.14159265, the key = 1000000007, turkey: 12345678",
        "pk_customer_2024_orders and {'key': 'my-value-123'}",
        "ORDER BY created_at",
        "Check your credentials. Set lm-studio or not-needed as the key.",
    ],
)
def test_an_answer_that_speaks_of_keys_stays_as_it_is(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    monkeypatch.setenv("SORT_KEY", "created_at")
    stored = {"// Note": "This file stores secret API credentials. Do not share!",
              "local": "lm-studio", "other": "not-needed"}  # fmt: skip
    (tmp_path / "keys.json").write_text(json.dumps(stored), encoding="utf-8")
    assert without_keys(text) == text
