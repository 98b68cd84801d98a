from __future__ import annotations

import os

# Before llm is first imported: the plugins installed here are none of the tests' business.
os.environ["LLM_LOAD_PLUGINS"] = ""

import pytest
from hypothesis import settings as hypothesis_settings

from consortium_mcp.adapters.settings import Settings

hypothesis_settings.register_profile("ci", max_examples=300, deadline=None)
hypothesis_settings.register_profile("nightly", max_examples=20_000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An llm user directory and a database of the test's own, without any key."""
    for name in [name for name in os.environ if name.endswith("_KEY")]:
        monkeypatch.delenv(name)
    user_dir = tmp_path / "llm"  # type: ignore[operator]
    monkeypatch.setenv("LLM_USER_PATH", str(user_dir))
    return Settings(database=user_dir / "consortium.db", user_dir=user_dir, wait_seconds=30)
