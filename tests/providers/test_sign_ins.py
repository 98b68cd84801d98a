"""The real plugins that use another program's sign-in, where nobody is signed in."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from llm.plugins import pm

from consortium_mcp.adapters.agents.sign_in import forget
from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("default")]  # foreign code warns
MODULES = {
    "codex": "llm_openai_codex",
    "claude-cli": "llm_claude_cli",
    "gemini_code_assist": "llm_gemini_code_assist",
}
"""The name under which the plugin registers itself, and its module. llm-github-copilot offers no
model where nobody is signed in."""


@pytest.mark.parametrize("name", MODULES)
async def test_it_is_not_ready_and_says_so_in_plain_words(
    name: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        module: Any = importlib.import_module(MODULES[name])
    except ImportError:
        pytest.skip(f"{MODULES[name]} is not installed: see .ci/providers")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("LLM_USER_PATH", str(settings.user_dir))
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    forget()
    pm.register(module, name=name)
    try:
        registry = Registry()
        entry = next(
            each for each in (await registry.snapshot()).entries.values() if each.provider == name
        )
        assert entry.missing
        question = Question(
            role="member", label="A", model=entry.model_id, prompt="?", iteration=1, timeout=60
        )
        with pytest.raises(MemberError) as caught:
            await ModelCaller(registry, Limits())(question)
    finally:
        pm.unregister(module)
    assert (caught.value.kind, caught.value.permanent) == ("key", True)
    assert "Error:" not in str(caught.value)
