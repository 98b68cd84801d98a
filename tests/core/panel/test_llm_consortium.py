from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.panel.llm_consortium import STRATEGIES, settings_from
from consortium_mcp.core.strategies import STRATEGIES as OURS


def test_a_configuration_of_today_comes_over_whole() -> None:
    wanted, notes = settings_from(
        {
            "models": {"gpt-4o": 2, "qwen3:4b": 1},
            "system_prompt": "Be brief.",
            "confidence_threshold": 0.9,
            "max_iterations": 5,
            "minimum_iterations": 2,
            "arbiter": "o3-mini",
            "judging_method": "default",
            "strategy": "default",
            "strategy_params": {},
        }
    )
    assert wanted.models == ["gpt-4o:2", "qwen3:4b:1"]
    assert (wanted.system, wanted.arbiter) == ("Be brief.", "o3-mini")
    assert (wanted.confidence_threshold, wanted.min_iterations, wanted.max_iterations) == (
        0.9,
        2,
        5,
    )
    assert (wanted.strategy, notes) == ("synthesis", [])


def test_early_forms_are_read_too() -> None:
    early = {"models": ["gpt-4o"], "confidence_threshold": 85, "min_iterations": 3}
    wanted, _ = settings_from(early)
    assert wanted.models == ["gpt-4o"]
    assert wanted.confidence_threshold == 0.85
    assert wanted.min_iterations == 3
    assert wanted.arbiter is None


@pytest.mark.parametrize("strategy", [*STRATEGIES])
def test_every_strategy_has_its_counterpart(strategy: str) -> None:
    wanted, _ = settings_from({"models": ["a"], "strategy": strategy})
    assert wanted.strategy in OURS


def test_a_ranking_judge_is_a_strategy_here() -> None:
    assert settings_from({"models": ["a"], "judging_method": "rank"})[0].strategy == "rank"
    both = {"models": ["a"], "judging_method": "rank", "strategy": "elimination"}
    assert settings_from(both)[0].strategy == "elimination"


def test_what_has_no_counterpart_is_said() -> None:
    _, notes = settings_from(
        {
            "models": ["a"],
            "strategy": "semantic",
            "embedding_backend": "openai",
            "strategy_params": {"eps": 1},
        }
    )
    assert len(notes) == 3
    assert any("embeddings" in note for note in notes)


@pytest.mark.parametrize("original", [{}, {"models": "gpt-4o"}])
def test_what_is_no_configuration_is_refused(original: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no `models`"):
        settings_from(original)
