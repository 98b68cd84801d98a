from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from llm.cli import cli

from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends import plugin

plugin.register_commands(cli)  # tests load no plugins: this is what llm does with ours


def llm(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments])


@pytest.mark.usefixtures("settings")
def test_strategies_are_listed_with_what_they_do() -> None:
    shown = llm("consortium", "strategies")
    assert shown.exit_code == 0, shown.output
    for name, strategy in STRATEGIES.items():
        assert f"{name} " in shown.output
        assert strategy.description in shown.output
    listed = json.loads(llm("consortium", "strategies", "--json").output)
    assert list(listed) == list(STRATEGIES)
