from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.evaluation import metrics

# ten questions, confident in tenths; the upper six are right, but for the most confident
POINTS = [((n + 1) / 10, n in {4, 5, 6, 7, 8}) for n in range(10)]


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert metrics.accuracy(POINTS) == 0.5


def test_bins_have_equal_mass_and_lose_nobody() -> None:
    found = metrics.bins(POINTS, 3)
    assert [b.size for b in found] == [3, 3, 4]
    assert found[0].confidence == pytest.approx(0.2)
    assert [b.accuracy for b in found] == [0, pytest.approx(2 / 3), 0.75]
    assert len(metrics.bins(POINTS, 99)) == 10


def test_ece_is_the_mean_distance_of_confidence_and_accuracy() -> None:
    assert metrics.calibration_error([(0.75, True)] * 3 + [(0.75, False)], 1) == 0
    assert metrics.calibration_error([(0.9, False)] * 5, 3) == pytest.approx(0.9)
    halves = [(0.1, False)] * 2 + [(0.9, True), (0.9, False)]
    assert metrics.calibration_error(halves, 2) == pytest.approx((0.1 + 0.4) / 2)


def test_brier_is_the_mean_squared_distance() -> None:
    assert metrics.brier([(1.0, True), (0.5, False)]) == pytest.approx(0.125)


def test_auroc_counts_how_often_the_right_one_is_surer() -> None:
    assert metrics.auroc([(0.9, True), (0.1, False)]) == 1
    assert metrics.auroc([(0.1, True), (0.9, False)]) == 0
    assert metrics.auroc([(0.5, True), (0.5, False)]) == 0.5
    # of 25 pairs the right ones are surer in 20: all but those against the most confident
    assert metrics.auroc(POINTS) == pytest.approx(20 / 25)


def test_auroc_is_none_where_there_is_nothing_to_tell_apart() -> None:
    assert metrics.auroc([(0.5, True), (0.4, True)]) is None
    assert metrics.auroc([(0.5, False)]) is None


def test_accuracy_at_a_coverage_takes_the_surest_and_shares_ties() -> None:
    assert metrics.accuracy_at(POINTS, 0.5) == pytest.approx(4 / 5)
    assert metrics.accuracy_at(POINTS, 1) == 0.5
    assert metrics.accuracy_at([(0.5, True), (0.5, False)], 0.5) == 0.5


def test_coverage_at_an_accuracy_is_the_largest_that_holds_it() -> None:
    assert metrics.coverage_at(POINTS, 0.8) == 0.6
    assert metrics.coverage_at(POINTS, 1) == 0
    assert metrics.coverage_at([(0.5, True), (0.4, True)], 0.95) == 1


def test_the_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    few, many = [1.0, 0.0] * 20, [1.0, 0.0] * 2000
    low, high = metrics.interval(few)
    assert low < 0.5 < high
    closer = metrics.interval(many)
    assert closer[1] - closer[0] < (high - low) / 5
    assert closer[1] - closer[0] == pytest.approx(2 * 1.96 * 0.5 / 4000**0.5, rel=0.15)
    assert metrics.interval(few) == metrics.interval(few)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_every_figure_is_a_share(points: list[metrics.Point]) -> None:
    figures = [
        metrics.accuracy(points),
        metrics.calibration_error(points),
        metrics.brier(points),
        metrics.accuracy_at(points, 0.8),
        metrics.coverage_at(points, 0.95),
        metrics.auroc(points) or 0,
    ]
    assert all(0 <= figure <= 1 + 1e-12 for figure in figures)
