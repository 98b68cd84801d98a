from __future__ import annotations

import random

import pytest

from consortium_mcp.core.evaluation.recordings import Recording
from consortium_mcp.core.evaluation.suggest import RIGHT, suggest, votes_of


def recorded(**said: str | None) -> Recording:
    return Recording.model_validate(
        {
            "question_id": 1,
            "gold": "1/2",
            "answers": {model: (answer, 0.8, None) for model, answer in said.items()},
        }
    )


def peers_and_twins(count: int = 300) -> list[Recording]:
    """Three independent models right in 70 %, and two better ones that always say the same."""
    draw = random.Random(1)
    found = []
    for _ in range(count):
        said = {n: "0.5" if draw.random() < 0.7 else draw.choice("1234") for n in "abc"}
        twins = "0.5" if draw.random() < 0.72 else draw.choice("1234")
        found.append(recorded(**said, twin=twins, double=twins))
    return found


def test_answers_are_told_apart_as_values() -> None:
    votes = votes_of(recorded(a="0.5", b="50 %", c="7", d="7.0", e=None))
    assert votes.said["a"][0] == votes.said["b"][0] == RIGHT
    assert votes.said["c"][0] == votes.said["d"][0] != RIGHT
    assert "e" not in votes.said
    assert votes.right(("a", "b", "c"))
    assert not votes.right(("b", "c", "d"))
    assert not votes.right(("c", "e"))


def test_members_that_err_together_are_not_put_together() -> None:
    found = suggest(peers_and_twins(), ["a", "b", "c", "twin", "double"], 3)
    assert [each.cost for each in found] == sorted({each.cost for each in found})
    assert found[0].panel in {("twin",), ("double",)}
    assert not {"twin", "double"} <= {*found[-1].panel}
    assert len(found[-1].panel) == 3
    low, high = found[-1].interval
    assert low < found[-1].accuracy < high
    assert found[-1].accuracy > found[0].accuracy


def test_money_counts_where_prices_are_given() -> None:
    prices = {"a": 1.0, "b": 1.0, "c": 1.0, "twin": 50.0, "double": 60.0}
    found = suggest(peers_and_twins(), [*prices], 3, prices)
    assert found[0].cost == 1
    assert ("a", "b", "c") in [each.panel for each in found]
    assert all("double" not in each.panel for each in found)
    assert found[1].cost == pytest.approx(sum(prices[model] for model in found[1].panel))
