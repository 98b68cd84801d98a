"""Strategies of other packages: the example's, and broken ones."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.entry_points import GROUP, install_strategies, strategy_names
from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies import STRATEGIES, get_strategy
from tests.conftest import ROOT
from tests.support.fakes import FakeAsk, consulted, reply, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = ROOT / "examples/own_strategy"


def install(site: Path, name: str, module: str, **entries: str) -> None:
    """Put a package where Python finds it, as an installer would."""
    about = site / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (site / f"{name}.py").write_text(module, encoding="utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{entry} = {name}:{where}" for entry, where in entries.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for packages, and everything as it was before afterwards."""
    kept = dict(STRATEGIES)
    modules = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    install_strategies.cache_clear()
    yield tmp_path
    install_strategies.cache_clear()
    STRATEGIES.clear()
    STRATEGIES.update(kept)
    for name in set(sys.modules) - modules:
        if name.startswith("consortium_"):
            del sys.modules[name]


@pytest.mark.anyio
async def test_the_example_package_adds_its_strategy(site: Path) -> None:
    about = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
    [(name, target)] = about["project"]["entry-points"][GROUP].items()
    module, _, where = target.partition(":")
    install(site, module, (EXAMPLE / f"{module}.py").read_text(encoding="utf-8"), **{name: where})
    assert name in strategy_names()
    assert module not in sys.modules  # names are known without importing anything
    with pytest.raises(UnknownStrategy):
        get_strategy(name)
    assert install_strategies() == {}
    ask = FakeAsk(a=reply("42", 0.9), b=[reply("41", 0.9, "It is odd."), reply("42", 0.9)])
    ended = await consulted(run_of("a", "b", strategy=name, confidence_threshold=0.5), ask)
    assert (ended.stop_reason, len(ended.iterations)) == ("threshold", 2)
    assert ended.iterations[0].verdict.needs_iteration
    assert "It is odd." in ask.asked("a")[1].prompt


def test_a_broken_package_stands_in_nobodys_way(site: Path) -> None:
    install(site, "consortium_broken", "raise OSError('no licence')", broken="It")
    install(site, "consortium_half", "class Half: description = 'half'", half="Half")
    install(site, "consortium_taken", "class Mine: pass", vote="Mine")
    errors = install_strategies()
    assert errors["broken"] == "OSError: no licence"
    assert "lacks asks_in_waves" in errors["half"]
    assert "another name" in errors["vote"]
    assert get_strategy("vote").description
