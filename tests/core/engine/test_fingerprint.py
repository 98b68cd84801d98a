from __future__ import annotations

import pytest

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.learned import Calibration
from consortium_mcp.core.domain.run import Run, Turn
from consortium_mcp.core.engine.fingerprint import fingerprint_of
from tests.support.fakes import config, run_of

RUN = run_of("a", "b", system="Be brief.")
CALIBRATION = Calibration(slope=1, intercept=0, labelled=40, fitted_at="2026-11-29T00:00:00+00:00")


def of(run: Run = RUN, **nested: object) -> str:
    return fingerprint_of(run, {name: config("c", system=said) for name, said in nested.items()})


def test_what_is_random_or_only_a_name_does_not_count() -> None:
    named = RUN.config.model_copy(update={"name": "team", "description": "For law.", "reuse": "1h"})
    shuffled = tuple(reversed(RUN.members))
    other = RUN.model_copy(
        update={"config": named, "run_id": "02", "seed": "other", "members": shuffled}
    )
    assert of(other) == of()
    assert len(of()) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "How many? "},
        {"history": (Turn(prompt="One?", synthesis="1."),)},
        {"calibration": CALIBRATION},
        {"config": config("a", "b")},
        {"config": config("b", "a", system="Be brief.")},
        {"config": config("a", "b", system="Be brief.", criteria="In French.")},
        {"config": config("a", "b", system="Be brief.", max_calls=9)},
    ],
)
def test_whatever_may_change_the_answer_counts(changes: dict[str, object]) -> None:
    assert of(RUN.model_copy(update=changes)) != of()


def test_a_consortium_that_is_asked_counts_with_all_that_it_is() -> None:
    assert len({of(), of(team="Be brief."), of(team="Be long."), of(crew="Be brief.")}) == 4


@pytest.mark.parametrize("reuse", ["soon", "1", "h", "1 h", "-1h", "1.5h", "1y", ""])
def test_what_is_no_age_is_refused_with_an_example(reuse: str) -> None:
    with pytest.raises(ConfigError, match="write 30s, 10m, 36h or 7d"):
        config("a", reuse=reuse)
