from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.domain.errors import UnknownStrategy
from consortium_mcp.core.strategies import STRATEGIES, get_strategy, register
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    kept = dict(STRATEGIES)
    yield
    STRATEGIES.clear()
    STRATEGIES.update(kept)


class Mine(Vote):
    description = "As a vote."


def test_a_strategy_of_ones_own_is_found_by_its_name() -> None:
    register("mine", Mine())
    register("mine", Mine())  # again is no harm
    assert get_strategy("mine").description == "As a vote."


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(UnknownStrategy, match="another name"):
        register("vote", Mine())


def test_what_is_no_strategy_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(UnknownStrategy, match=r"lacks description, .*judge, another_pays"):
        register("mine", object())  # type: ignore[arg-type]


def test_every_strategy_says_in_a_line_what_it_does() -> None:
    for strategy in STRATEGIES.values():
        assert 20 < len(strategy.description) < 200
        assert "\n" not in strategy.description
