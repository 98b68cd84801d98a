from __future__ import annotations

import random

import pytest

from consortium_mcp.core.confidence.calibration import LEAST_LABELLED, apply, fit
from consortium_mcp.core.confidence.scoring import weigh
from consortium_mcp.core.domain.errors import ConfigError
from tests.support.fakes import answered, run_of

WHEN = "2026-11-24T00:00:00.000+00:00"


def sample(share_right: float, confidence: float, count: int = 500) -> list[tuple[float, bool]]:
    return [(confidence, place < share_right * count) for place in range(count)]


def test_overconfidence_is_brought_down_to_what_was_right() -> None:
    labelled = sample(0.5, 0.9) + sample(0.2, 0.6) + sample(0.1, 0.3)
    fitted = fit(labelled, WHEN)
    assert (fitted.labelled, fitted.fitted_at) == (1500, WHEN)
    assert apply(fitted, 0.9) == pytest.approx(0.5, abs=0.05)
    assert apply(fitted, 0.3) == pytest.approx(0.1, abs=0.05)


def test_what_is_calibrated_already_stays_about_as_it_is() -> None:
    draw = random.Random(1)
    scores = [draw.uniform(0.05, 0.95) for _ in range(5000)]
    fitted = fit([(score, draw.random() < score) for score in scores], WHEN)
    assert fitted.slope == pytest.approx(1, abs=0.1)
    assert fitted.intercept == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("right", [True, False])
def test_labels_that_are_all_alike_give_no_infinite_slope(right: bool) -> None:  # noqa: FBT001
    fitted = fit([(0.8, right)] * 300, WHEN)
    assert 0 < apply(fitted, 0.8) < 1
    assert (apply(fitted, 0.8) > 0.99) is right


def test_perfectly_separable_labels_are_fitted() -> None:
    fitted = fit(sample(1, 0.99, 200) + sample(0, 0.01, 200), WHEN)
    assert apply(fitted, 0.99) > 0.97
    assert apply(fitted, 0.01) < 0.03


def test_confidences_of_zero_and_one_are_no_infinity() -> None:
    fitted = fit(sample(0.9, 1.0) + sample(0.1, 0.0), WHEN)
    assert apply(fitted, 1.0) == pytest.approx(0.9, abs=0.03)
    assert apply(fitted, 0.0) == pytest.approx(0.1, abs=0.03)


def test_too_few_labels_are_refused_with_how_many_there_are() -> None:
    with pytest.raises(ConfigError, match="there are 199: label 1 more"):
        fit([(0.5, True)] * (LEAST_LABELLED - 1), WHEN)


def test_a_run_with_a_calibration_reports_both_numbers() -> None:
    fitted = fit(sample(0.5, 0.9) + sample(0.2, 0.6), WHEN)
    run = run_of("a", "b").model_copy(update={"calibration": fitted})
    responses = (answered("A", "42", 0.9), answered("B", "42", 0.9))
    confidence, parts = weigh(
        run, responses, ("A", "B"), (), arbiter_confidence=None, method="counting"
    )
    assert parts.uncalibrated == pytest.approx(0.9)
    assert confidence == apply(fitted, 0.9)
    assert parts.calibrated
    assert parts.method.startswith("calibrated on 1000 labelled runs")
