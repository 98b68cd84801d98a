"""The real server with fake models behind llm: what the acceptance tests launch as a child."""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

from llm.plugins import pm

from consortium_mcp.frontends.cli import main
from tests.adapters.fake_models import FakeAsync, FakePlugin, models
from tests.fakes import reply, verdict

FAKES = (
    FakeAsync("sure", reply("42", 0.9)),
    FakeAsync("agrees", reply("42", 0.8)),
    FakeAsync("wrong", reply("41", 0.6)),
    FakeAsync("slow", 20.0),
    FakeAsync("down", RuntimeError("the provider is down")),
    FakeAsync("judge", verdict(groups="", ranking="")),
    FakeAsync("judge-alone", verdict(support="A", groups="", ranking="")),
)

if __name__ == "__main__":
    pm.register(FakePlugin(models(*FAKES)), name="fake")
    main()
