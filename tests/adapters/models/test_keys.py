"""Keys that are none: what settings files hold until a real one is put there."""

from __future__ import annotations

import llm
import pytest

from consortium_mcp.adapters.models.keys import readiness_of


class Keyed(llm.AsyncKeyModel):
    """A model with a key in `FAKE_KEY`."""

    model_id = "m"
    needs_key = "fake"
    key_env_var = "FAKE_KEY"

    async def execute(self, *_: object, **__: object) -> object:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize(
    "key",
    ["${user_config.openai_key}", " ", "\n", "your-api-key-here", "YOUR_API_KEY", "<your key>",
     "{{OPENAI_KEY}}", "sk-xxxx", "sk-...", "changeme", "api_key", "Insert your key here", "null"],
)  # fmt: skip
def test_a_placeholder_is_no_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", key)
    missing = readiness_of(Keyed(), "fake", {}, seconds=0).missing
    assert missing is not None
    assert "only a placeholder" in missing or "No key found" in missing


@pytest.mark.parametrize("key", ["sk-proj-4f", "AIzaSyA-made-up", "a-key-of-mine", "xai-9"])
def test_a_key_is_a_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", key)
    found = readiness_of(Keyed(), "fake", {}, seconds=0)
    assert found.missing is None
