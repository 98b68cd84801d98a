"""Models with the names that llm-consortium's documentation uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from llm.plugins import pm

from consortium_mcp.frontends.llm import plugin as ours
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings

JUDGE = verdict(support="A", groups="", ranking="", confidence="0.9")


@pytest.fixture
def documented() -> dict[str, FakeAsync]:
    """The fakes, by name: what they were asked stands in them."""
    named = {name: FakeAsync(name, reply("42", 0.9)) for name in ("o3-mini", "gpt-4o", "gpt-4")}
    named["claude-3-opus-20240229"] = FakeAsync("claude-3-opus-20240229", reply("42", 0.9))
    named["gemini-2"] = FakeAsync("gemini-2", JUDGE)
    named["down"] = FakeAsync("down", RuntimeError("it is down"))
    return named


@pytest.fixture
def fakes(settings: Settings, documented: dict[str, FakeAsync]) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with plugin("fake", models(*documented.values())):
        yield


@pytest.fixture
def our_plugin(fakes: None) -> Iterator[None]:  # noqa: ARG001 (registered before ours)
    """Our own hooks, as llm calls them where the package is installed."""
    pm.register(ours, name="consortium")
    try:
        yield
    finally:
        pm.unregister(ours)
