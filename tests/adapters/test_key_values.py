"""What is a key, and what only stands in the place of one."""

from __future__ import annotations

import pytest

from consortium_mcp.adapters.key_values import is_placeholder


@pytest.mark.parametrize(
    "value",
    ["", " ", "\n\t", "''", "${user_config.openai_key}", "{{OPENAI_KEY}}", "<your key>",
     "[your key]", "$OPENAI_API_KEY", "%OPENAI_API_KEY%", "OPENAI_API_KEY", "GH_TOKEN",
     "your-api-key-here", " your-api-key-here ", "'your-api-key-here'", "YOUR_API_KEY",
     "sk-your-key-here", "sk-YOUR-OPENAI-API-KEY", "my-api-key-here", "put-your-key-here",
     "paste_your_token_here", "Insert key", "add-token", "replace-me", "changeme", "change_me",
     "api_key", "API-KEY", "secret_key", "access token", "sk-", "sk-ant-", "sk-ant-...",
     "sk-xxxx", "sk-proj-****", "xxxxxxxx", "...", "…", "****", "todo", "null", "undefined"],
)  # fmt: skip
def test_a_placeholder_is_no_key(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["sk-proj-4fXa", "sk-ant-api03-R2D2", "AIzaSyA-made-up", "gsk_9aB", "xai-9", "a-key-of-mine",
     "made-up", "none", "dummy", "lm-studio", "ollama", "EMPTY", "x", "sk-1234", "my-key",
     "0123456789abcdef", "secret", "hf_abc", "r8_abc", "AKIA123:wJalr", "Where-ever"],
)  # fmt: skip
def test_a_key_is_a_key(value: str) -> None:
    assert not is_placeholder(value)
