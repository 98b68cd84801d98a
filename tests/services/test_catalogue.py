"""Models by a part of their names, and what to do about those that are not here."""

from __future__ import annotations

import pytest

from consortium_mcp.adapters.models.keys import Readiness
from consortium_mcp.adapters.models.snapshot import Entry, Snapshot
from consortium_mcp.services.catalogue import matching, why_not_here
from tests.support.fake_models import FakeAsync


def entry(model_id: str, provider: str, missing: str | None = None) -> Entry:
    model = FakeAsync(model_id, "x")
    return Entry(model_id, (), provider, model, model, Readiness(missing))  # type: ignore[arg-type]


HERE = Snapshot(
    entries={
        each.model_id: each
        for each in (
            entry("gpt-5", "openai", "a key"),
            entry("gpt-4o", "openai"),
            entry("openrouter/anthropic/claude-x", "openrouter"),
        )
    },
    names={name: name for name in ("gpt-5", "gpt-4o", "openrouter/anthropic/claude-x")},
    plugins={"llm-mistral": "1"},
    plugin_errors={"llm-grok": "ImportError: no httpx"},
)


def test_ready_ones_come_first() -> None:
    assert [each.model_id for each in matching(HERE, "GPT ")] == ["gpt-4o", "gpt-5"]
    assert len(matching(HERE, "")) == 3


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("openai", None),
        ("gpt", None),
        ("gemini", "gemini: no plugin; "),
        ("LLM-Gemini", "llm-gemini"),
        ("anthropic", "llm-anthropic"),  # though another provider has models of that name
        ("mistral", "llm keys set mistral"),
        ("grok", "ImportError: no httpx"),
        ("groq/llama", "llm-groq"),
        ("codex", "agent/codex"),
        ("agent/codex", "agent/codex"),
        ("gpt-4p", "Near it are gpt-4o"),
        ("zzzzzz", None),
    ],
)
def test_what_is_not_here_comes_with_its_remedy(query: str, told: str | None) -> None:
    why = why_not_here(HERE, query, matching(HERE, query))
    assert why is None if told is None else told in str(why)
