from __future__ import annotations

import math
import random

import pytest

from consortium_mcp.core.learning.choice import (
    NONE_OF_THEM,
    Choice,
    Fitted,
    fit,
    log_likelihood,
    solved,
)

EQUAL = (1.0, 1.0, 1.0)


def drawn(accuracies: tuple[float, ...], count: int = 1500) -> list[Choice]:
    """Members that are right so often, independently, and otherwise say one of four others."""
    draw = random.Random(1)
    choices = []
    for _ in range(count):
        said: dict[int, list[int]] = {}
        for member, accuracy in enumerate(accuracies):
            said.setdefault(0 if draw.random() < accuracy else draw.randint(1, 4), []).append(
                member
            )
        answers = [*said]
        right = answers.index(0) if 0 in answers else NONE_OF_THEM
        choices.append(Choice(tuple(tuple(said[a]) for a in answers), frozenset({right})))
    return choices


def test_the_better_a_member_the_more_it_weighs_near_its_log_odds() -> None:
    weights = fit(drawn((0.9, 0.7, 0.5)), EQUAL, 0.1, None).weights
    assert weights[0] > weights[1] > weights[2] > 0
    # Against one of four wrong answers: log(0.9 / (0.1 / 4)) less log(0.5 / (0.5 / 4)).
    assert weights[0] - weights[2] == pytest.approx(math.log(36) - math.log(4), abs=0.6)


def test_shrinkage_draws_weights_to_given_proportions() -> None:
    choices = drawn((0.9, 0.7, 0.5))
    fixed = fit(choices, EQUAL, 1e6, None).weights
    assert max(fixed) - min(fixed) < 0.01
    lent = fit(choices, (3.0, 1.0, 1.0), 1e6, None).weights
    assert lent[0] / lent[1] == pytest.approx(3, abs=0.01)


def test_members_that_say_the_same_share_a_weight() -> None:
    twins = [
        Choice(tuple((*c, 3) if 2 in c else c for c in each.candidates), each.possible)
        for each in drawn((0.8, 0.8, 0.8))
    ]
    weights = fit(twins, (1.0,) * 4, 0.1, None).weights
    assert weights[2] + weights[3] == pytest.approx(weights[0], abs=0.4)


def test_the_start_changes_nothing_but_the_steps() -> None:
    choices = drawn((0.9, 0.7, 0.5), 300)
    cold = fit(choices, EQUAL, 1.0, None)
    warm = fit(choices, EQUAL, 1.0, Fitted((5.0, -5.0, 0.0), 3.0))
    assert warm.weights == pytest.approx(cold.weights, abs=1e-3)
    assert fit(choices, EQUAL, 1.0, cold).weights == pytest.approx(cold.weights, abs=1e-6)


def test_what_is_wrong_teaches_as_well() -> None:
    """Where only one answer is known to be wrong, the others may be right."""
    known = drawn((0.9, 0.7, 0.5))
    partly = [
        Choice(c.candidates, frozenset({*range(len(c.candidates)), NONE_OF_THEM}) - {1})
        if len(c.candidates) > 1 and 1 not in c.possible
        else c
        for c in known
    ]
    weights = fit(partly, EQUAL, 0.1, None).weights
    assert weights[0] > weights[1] > weights[2]


def test_the_likelihood_is_that_of_what_may_be_right() -> None:
    fitted = Fitted((1.0, 1.0), 0.0)
    certain = Choice(((0,), (1,)), frozenset({0, 1, NONE_OF_THEM}))
    assert log_likelihood(certain, fitted) == pytest.approx(0)
    half = Choice(((0,), (1,)), frozenset({0}))
    assert log_likelihood(half, fitted) == pytest.approx(math.log(math.e / (2 * math.e + 1)))


def test_systems_are_solved() -> None:
    assert solved([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]) == pytest.approx([1 / 11, 7 / 11])
