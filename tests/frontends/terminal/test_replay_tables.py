from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.evaluation.object_replay import (
    ObjectMeasures,
    ObjectSummary,
    objects_as_text,
)
from consortium_mcp.frontends.terminal.replay_tables import show_summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.terminal.conftest import Shown

MEASURES = ObjectMeasures(
    em=0.5,
    f1=0.75,
    interval=(0.4, 0.6),
    auroc=None,
    ece=0.125,
    unanimous=0.8,
    unanimous_right=0.9,
    contested_right=None,
    valid=1.0,
)
SUMMARY = ObjectSummary(
    questions=4,
    panel=["a", "b"],
    metric="em",
    measured=MEASURES,
    singles={"a": MEASURES},
    best_single="a",
    gain_over_best_single=0.0,
    gain_interval=(-0.1, 0.1),
)


@pytest.mark.parametrize("width", [40, 90])
def test_objects_have_the_figures_of_the_text(screen_of: Callable[..., Shown], width: int) -> None:
    shown = screen_of(width)
    show_summary(shown, SUMMARY)
    assert shown.widest <= width
    words = {*shown.text.replace("─", " ").split()}
    assert {*objects_as_text(SUMMARY).split()} <= words | {"EM", "F1", "95", "%", "of", "valid"}
