"""What labelled runs of panels teach, and when it is kept."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.confidence.weights import weighted_by, weights_of
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.learned import Learned
from consortium_mcp.core.domain.run import Run, with_learned
from consortium_mcp.core.domain.verdict import Iteration
from consortium_mcp.core.evaluation.recordings import Recording
from consortium_mcp.core.evaluation.replay import consult
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.learning.choice import NONE_OF_THEM
from consortium_mcp.core.learning.learn import learn
from consortium_mcp.core.learning.lessons import Lesson, lesson_of
from consortium_mcp.core.learning.panels import LEAST_LABELLED, LEAST_WEIGHT, fit_panel
from consortium_mcp.core.reports.rating import Rating
from tests.support.fakes import answered, config, failed, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping

AT = "2026-11-29T00:00:00.000+00:00"


def judged(said: Mapping[str, str | None]) -> Run:
    """A vote of these models."""
    run = run_of(*said, strategy="vote")
    labels = {member.model: member.label for member in run.members}
    responses = tuple(
        answered(labels[model], answer, 0.8) if answer else failed(labels[model])
        for model, answer in said.items()
    )
    iteration = Iteration(number=1, responses=responses, verdict=plurality(run, responses))
    return run.model_copy(update={"iterations": (iteration,), "status": "completed"})


def lessons_of(accuracies: Mapping[str, float], count: int, seed: int = 1) -> list[Lesson]:
    """Questions whose answer is 0, to members that are right so often."""
    draw = random.Random(seed)
    runs = [
        judged(
            {
                model: "0" if draw.random() < accuracy else str(draw.randint(1, 3))
                for model, accuracy in accuracies.items()
            }
        )
        for _ in range(count)
    ]
    found = [lesson_of(run, Rating(answer="0", at=AT)) for run in runs]
    return [lesson for lesson in found if lesson]


TRAP = {"strong": 0.95, "weak": 0.4, "weaker": 0.4, "weakest": 0.35}
PEERS = {"one": 0.7, "two": 0.7, "three": 0.7}


def test_one_strong_member_among_weak_ones_is_found() -> None:
    [panel] = learn(lessons_of(TRAP, 100), [], 100, AT).panels
    assert panel.weights is not None
    assert panel.weights.of["strong"] > 2 * panel.weights.of["weak"]
    assert sum(panel.weights.of.values()) / 4 == pytest.approx(1, abs=0.01)
    assert panel.gain > panel.gain_error
    assert (panel.right_after or 0) > (panel.right_before or 0) + 0.1
    assert panel.calibration.labelled == panel.labelled == 100


def test_peers_keep_equal_votes() -> None:
    learned = learn(lessons_of(PEERS, 100), [], 100, AT)
    [panel] = learned.panels
    assert panel.weights is None
    assert panel.calibration.labelled == 100
    assert panel.gain <= panel.gain_error
    assert learned.together is None
    run = with_learned(run_of(*PEERS), learned)
    assert weighted_by(run) is None
    assert run.calibration == panel.calibration


def test_too_few_labels_teach_nothing_and_say_so() -> None:
    with pytest.raises(ConfigError, match="there are 49"):
        learn(lessons_of(TRAP, LEAST_LABELLED - 1), [(0.9, True)] * 49, 49, AT)


def test_a_confidence_is_calibrated_without_a_panel_of_many_labels() -> None:
    learned = learn(lessons_of(TRAP, 20), [(0.9, False)] * 200, 200, AT)
    assert (learned.panels, learned.together) == ((), None)
    assert learned.calibration is not None
    told = with_learned(run_of(*TRAP), learned)
    assert (told.calibration, told.weights) == (learned.calibration, None)


def test_other_panels_lend_to_one_with_few_labels_and_to_new_ones() -> None:
    lessons = lessons_of(TRAP, 150) + lessons_of(TRAP | {"new": 0.4}, 50, seed=2)
    learned = learn(lessons, [], 200, AT)
    assert [panel.labelled for panel in learned.panels] == [150, 50]
    lent = learned.panels[1]
    alone = fit_panel(lessons[150:], AT)
    assert lent.gain - lent.gain_error >= alone.gain - alone.gain_error
    assert lent.weights is not None
    assert lent.weights.of["strong"] == max(lent.weights.of.values())
    fresh = with_learned(run_of("strong", "weak", "never seen"), learned)
    weights = weights_of(fresh)
    assert weights["A"] > weights["C"] > weights["B"]  # who was never seen is the mean
    assert weighted_by(fresh) == "labels"
    stranger = with_learned(run_of("strong", "never seen"), learned)
    assert stranger.weights is None


def test_a_reserve_that_was_never_seen_is_as_strong_as_the_strongest() -> None:
    learned = learn(lessons_of(TRAP, 100), [], 100, AT)
    run = run_of("strong", "weak", "weaker", "giant")
    giant = run.members[3].model_copy(update={"reserve": True, "tier": "strong"})
    run = with_learned(run.model_copy(update={"members": (*run.members[:3], giant)}), learned)
    assert weights_of(run)["D"] == weights_of(run)["A"]
    assert weighted_by(run) == "labels"


def test_the_users_own_tier_goes_before_what_was_learned() -> None:
    learned = learn(lessons_of(TRAP, 100), [(0.9, True)] * 200, 100, AT)
    run = run_of(*TRAP)
    tiered = run.members[1].model_copy(update={"tier": "strong"})
    own = run.model_copy(update={"members": (run.members[0], tiered, *run.members[2:])})
    told = with_learned(own, learned)
    assert (told.weights, told.calibration) == (None, learned.calibration)
    assert weighted_by(told) == "tier"
    kept = own.model_copy(update={"weights": learned.panels[0].weights})
    assert weighted_by(kept) == "tier"
    assert weights_of(kept)["B"] > weights_of(kept)["A"]


def test_who_is_worse_than_chance_counts_for_next_to_nothing() -> None:
    [panel] = learn(lessons_of({"good": 0.95, "fair": 0.9, "bad": 0.02}, 300), [], 300, AT).panels
    assert panel.weights is not None
    assert 0 < panel.weights.of["bad"] < 3 * LEAST_WEIGHT


def test_a_panel_that_is_never_right_has_equal_votes() -> None:
    never = lessons_of({"bad": 0.0, "worse": 0.0}, 60)
    assert learn(never, [], 60, AT).panels[0].weights is None


def test_a_vote_with_weights_is_another_vote() -> None:
    [panel] = learn(lessons_of(TRAP, 100), [], 100, AT).panels
    lesson = lesson_of(
        judged({"strong": "0", "weak": "1", "weaker": "1", "weakest": "2"}),
        Rating(answer="0", at=AT),
    )
    assert lesson is not None
    assert lesson.vote(None)[1] is False
    assert lesson.vote(panel.weights)[1] is True


@pytest.mark.parametrize(
    ("rating", "possible"),
    [
        ({"answer": "zero"}, {1}),
        ({"answer": "7"}, {NONE_OF_THEM}),
        ({"correct": True}, {0}),
        ({"correct": False}, {1, NONE_OF_THEM}),
        ({"correct": False, "answer": "0"}, {1}),
    ],
)
def test_a_rating_says_which_answers_may_be_right(
    rating: dict[str, object], possible: set[int]
) -> None:
    run = judged({"a": "0", "b": "1", "c": "1"})
    lesson = lesson_of(run, Rating.model_validate(rating | {"at": AT}))
    assert lesson is not None
    assert lesson.possible == possible


def test_what_a_label_does_not_tell_is_not_known() -> None:
    lesson = lesson_of(judged({"a": "0", "b": "1", "c": "1"}), Rating(correct=False, at=AT))
    assert lesson is not None
    assert lesson.vote(None)[1] is False
    heavy = learn(lessons_of({"a": 0.95, "b": 0.3, "c": 0.3}, 100), [], 100, AT).panels[0].weights
    assert lesson.vote(heavy)[1] is None  # another answer than the one that was rated


def test_labels_that_never_tell_give_no_share_that_was_right() -> None:
    run = judged({"a": "0", "b": "1"})
    lesson = lesson_of(run, Rating(answer="0", at=AT))
    assert lesson is not None
    vague = Lesson(lesson.run, lesson.responses, lesson.groups, frozenset({0, 1}))
    panel = fit_panel([vague] * 60, AT)
    assert (panel.right_before, panel.right_after) == (None, None)
    assert panel.weights is None


def test_open_answers_and_runs_without_a_verdict_teach_nothing() -> None:
    rating = Rating(correct=True, at=AT)
    assert lesson_of(run_of("a", "b"), rating) is None
    assert lesson_of(judged({"a": None, "b": "1"}), rating) is not None
    run = run_of("a", "b")
    essays = (answered("A"), answered("B"))
    iteration = Iteration(number=1, responses=essays, verdict=plurality(run, essays))
    opened = run.model_copy(update={"iterations": (iteration,)})
    assert lesson_of(opened, Rating(answer="0", at=AT)) is None
    assert lesson_of(opened, rating) is None


def test_nothing_learned_changes_nothing() -> None:
    run = run_of("a", "b")
    assert with_learned(run, Learned()) == run


@pytest.mark.anyio
async def test_a_replay_uses_what_was_learned() -> None:
    learned = learn(lessons_of(TRAP, 100), [], 100, AT)
    said = {"strong": "0", "weak": "1", "weaker": "1", "weakest": "2"}
    answers = {model: (answer, 0.8, None) for model, answer in said.items()}
    recording = Recording.model_validate({"question_id": 1, "gold": "0", "answers": answers})
    vote = config(*said, strategy="vote", max_iterations=1)
    assert not (await consult(recording, vote)).right
    assert (await consult(recording, vote, learned=learned)).right
