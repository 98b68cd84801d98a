"""Where a run stands, from the events of the engine."""

from __future__ import annotations

from consortium_mcp.core.engine import events
from consortium_mcp.services.runs.stage import Stages
from tests.support.fakes import answered, failed, run_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_follows_an_iteration_from_the_first_question_to_the_next() -> None:
    clock = Clock()
    stages = Stages(clock)
    run = run_of("a", "b", max_iterations=3)
    first, second = (member.label for member in run.members)
    assert stages.of(run).members == ()
    stages.note(events.Asked(1, (first,)))
    clock.now += 2
    stages.note(events.Asked(1, (second,)))  # a second wave
    clock.now += 1
    stage = stages.of(run)
    assert [(m.label, m.status, m.seconds) for m in stage.members] == [
        (first, "working", 3.0),
        (second, "working", 1.0),
    ]
    assert (stage.iteration, stage.most_iterations, stage.confidence) == (1, 3, None)
    response = answered(first, "42")
    stages.note(events.Heard(1, 1, 0, 2, response))
    stage = stages.of(run)
    assert (stage.members[0].status, stage.members[0].final_answer) == ("answered", "42")
    assert stage.weighing_seconds is None
    broken = failed(second)
    stages.note(events.HearingEnded(1, (response, broken)))
    clock.now += 4
    stages.note(events.Reviewed(1, 1, 2))
    stage = stages.of(run)
    assert (stage.members[1].status, stage.members[1].error) == ("failed", broken.error)
    assert (stage.weighing_seconds, stage.reviews) == (4.0, (1, 2))
    stages.note(events.Judged(run))
    assert stages.of(run).weighing_seconds is None
    stages.note(events.Asked(2, (first, second)))
    stage = stages.of(run)
    assert (stage.iteration, stage.reviews) == (2, None)
    assert [member.status for member in stage.members] == ["working", "working"]


def test_of_a_resumed_run_the_recorded_answers_are_there() -> None:
    run = run_of("a", "b")
    label = run.members[0].label
    run = run.model_copy(update={"unjudged": (answered(label, "42"),)})
    stage = Stages(Clock()).of(run)
    assert [(m.label, m.status) for m in stage.members] == [(label, "answered")]
