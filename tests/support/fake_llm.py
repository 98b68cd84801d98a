"""The real `llm` with our plugin and fake models: what the tests of the terminal launch."""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

from llm.cli import cli
from llm.plugins import load_plugins, pm

from consortium_mcp.frontends.llm import plugin
from tests.support.fake_models import FakePlugin, models
from tests.support.fake_server import FAKES

if __name__ == "__main__":
    load_plugins()  # type: ignore[no-untyped-call]
    pm.register(FakePlugin(models(*FAKES)), name="fake")
    pm.register(plugin, name="consortium")
    plugin.register_commands(cli)
    cli()
