from __future__ import annotations

import anyio
import pytest

from consortium_mcp.core.domain.ask import Ask, Question, Reply
from consortium_mcp.core.domain.errors import MemberError, UnknownStrategy
from consortium_mcp.core.domain.learned import Calibration
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.engine import consultation
from consortium_mcp.core.engine.events import Asked, Event, HearingEnded, Judged
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.strategies import STRATEGIES, get_strategy
from tests.support.fakes import FakeAsk, Said, reply, run_of, verdict

pytestmark = pytest.mark.anyio


async def consult(run: Run, ask: Ask) -> tuple[Run, list[Event]]:
    events: list[Event] = []

    async def on_event(event: Event) -> None:
        events.append(event)

    async with anyio.create_task_group() as late:
        ended = await consultation.consult(run, ask, on_event, late)
        late.cancel_scope.cancel()
    return ended, events


async def test_members_answer_in_parallel_and_the_arbiter_settles_it() -> None:
    ask = FakeAsk(a=[3.0, reply("42", 0.9)], b=[3.0, reply("42", 0.9)], judge=verdict())
    began = anyio.current_time()
    run, events = await consult(run_of("a", "b"), ask)
    assert anyio.current_time() - began == pytest.approx(3)
    assert (run.status, run.stop_reason) == ("completed", "threshold")
    assert run.best is not None
    assert run.best.verdict.synthesis == "It is 42."
    assert run.best.verdict.confidence == pytest.approx(0.9)
    assert run.best.verdict.parts.arbiter_confidence == 0.95
    heard = [(e.iteration, e.answered, e.failed, e.asked) for e in events[1:3]]  # type: ignore[union-attr]
    assert heard == [(1, 1, 0, 2), (1, 2, 0, 2)]
    assert events[0] == Asked(1, ("A", "B"))
    assert isinstance(events[3], HearingEnded)
    assert [r.answered for r in events[3].responses] == [True, True]
    assert events[4] == Judged(run.model_copy(update={"status": "working", "stop_reason": None}))


async def test_doubts_go_back_to_the_members_until_confidence_is_enough() -> None:
    first = verdict(
        support="A",
        groups="A; B",
        dissent="B: says 41, for it rounds early",
        refinements="look at the rounding",
        needs_iteration="true",
        confidence="0.4",
    )
    ask = FakeAsk(
        a=reply("42", 0.9), b=[reply("41", 0.5), reply("42", 0.9)], judge=[first, verdict()]
    )
    run, _ = await consult(run_of("a", "b"), ask)
    assert len(run.iterations) == 2
    again = ask.asked("b")[1].prompt
    assert again.startswith("How many?")
    for part in ("It is 42.", "says 41, for it rounds early", "look at the rounding"):
        assert part in again
    assert "A:" not in again.partition("---")[2]
    assert run.stop_reason == "threshold"


async def test_the_best_iteration_is_returned_not_the_last() -> None:
    good = verdict(needs_iteration="true")
    bad = verdict(synthesis="Maybe 40.", final_answer="40", support="A", groups="A; B")
    ask = FakeAsk(
        a=[reply("42", 0.7), reply("40", 0.3)],
        b=[reply("42", 0.7), reply("41", 0.3)],
        judge=[good, bad],
    )
    run, _ = await consult(run_of("a", "b", max_iterations=2), ask)
    assert run.stop_reason == "max_iterations"
    assert run.best is run.iterations[0]


async def test_min_iterations_are_made_even_when_sure() -> None:
    ask = FakeAsk(a=reply("42", 1.0), judge=verdict(support="A", groups="A", ranking="A"))
    run, _ = await consult(run_of("a", min_iterations=3), ask)
    assert len(run.iterations) == 3


async def test_a_failed_member_degrades_the_run_and_is_named() -> None:
    said = verdict(support="A", groups="A", ranking="A")
    ask = FakeAsk(a=reply("42", 0.9), b=MemberError("HTTP 500"), judge=said)
    run, events = await consult(run_of("a", "b"), ask)
    assert run.status == "degraded"
    assert any("b (B) did not answer in iteration" in w and "HTTP 500" in w for w in run.warnings)
    assert run.best is not None
    assert run.best.verdict.parts.votes == 1
    assert events[2].failed == 1  # type: ignore[union-attr]


async def test_a_member_that_failed_for_good_is_not_asked_again() -> None:
    broken = MemberError("no key", kind="key", permanent=True)
    said = verdict(support="A", groups="A", ranking="A", needs_iteration="true")
    ask = FakeAsk(a=reply("42", 0.9), b=broken, c=MemberError("HTTP 500"), judge=said)
    run, _ = await consult(run_of("a", "b", "c", max_iterations=2), ask)
    assert len(ask.asked("b")) == 1
    assert len(ask.asked("c")) == 2
    assert run.status == "degraded"


async def test_without_any_answer_the_run_failed_and_says_why() -> None:
    ask = FakeAsk(a=MemberError("HTTP 500"), b=MemberError("no key"))
    run, _ = await consult(run_of("a", "b"), ask)
    assert (run.status, run.stop_reason) == ("failed", "members_failed")
    assert run.error == "No member answered. a: HTTP 500; b: no key"
    assert [r.label for r in run.unjudged] == ["A", "B"]
    assert run.best is None


async def test_an_answer_once_paid_for_outlives_a_later_iteration_that_fails() -> None:
    lost = MemberError("gone", permanent=True)
    said = verdict(support="A", groups="A", ranking="A", needs_iteration="true")
    ask = FakeAsk(a=[reply("42", 0.5), lost], judge=said)
    run, _ = await consult(run_of("a"), ask)
    assert (run.status, run.stop_reason) == ("degraded", "members_failed")
    assert run.best is not None
    assert any("Iteration 2 got no answer (a: gone)" in w for w in run.warnings)


async def test_nobody_left_to_ask_is_said() -> None:
    gone = MemberError("no key", permanent=True)
    said = verdict(support="A", groups="A", ranking="A", needs_iteration="true")
    ask = FakeAsk(a=[reply("42", 0.5), gone], judge=[said, said])
    run = run_of("a", min_iterations=3)
    ended, _ = await consult(run, ask)
    assert ended.stop_reason == "members_failed"


async def test_the_deadline_cuts_the_slow_in_time_for_the_arbiter() -> None:
    said = verdict(support="A", groups="A", ranking="A")
    ask = FakeAsk(a=[1.0, reply("42", 0.9)], b=[3600.0, reply("41")], judge=said)
    began = anyio.current_time()
    run, _ = await consult(run_of("a", "b", deadline_seconds=12), ask)
    assert anyio.current_time() - began == pytest.approx(9)
    assert run.status == "degraded"
    assert run.best is not None
    assert run.best.verdict.synthesis == "It is 42."
    assert [r.status for r in run.best.responses] == ["answered", "cut"]
    assert "deadline was near" in str(run.best.responses[1].error)
    assert ask.asked("b")[0].timeout == 12


async def test_without_any_answer_the_whole_deadline_is_waited() -> None:
    ask = FakeAsk(a=[10.0, reply("42", 0.9)], judge=verdict(support="A", groups="A", ranking="A"))
    run, _ = await consult(run_of("a", deadline_seconds=12), ask)
    assert run.best is not None
    assert run.best.verdict.final_answer == "42"


async def test_the_deadline_cuts_a_slow_arbiter_too() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42"), judge=[3600.0, verdict()])
    run, _ = await consult(run_of("a", "b", deadline_seconds=10), ask)
    assert run.stop_reason == "deadline"
    assert run.best is not None
    assert run.best.verdict.degraded


async def test_the_deadline_before_any_answer_fails_the_run() -> None:
    ask = FakeAsk(a=[3600.0, "x"], judge=verdict())
    run, _ = await consult(run_of("a", deadline_seconds=10), ask)
    assert (run.status, run.stop_reason) == ("failed", "deadline")


async def test_no_further_iteration_begins_after_the_deadline() -> None:
    doubtful = verdict(needs_iteration="true")
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9), judge=[9.0, doubtful, 9.0, doubtful])
    run, _ = await consult(run_of("a", "b", deadline_seconds=10), ask)
    assert run.stop_reason == "deadline"
    assert len(run.iterations) == 2


async def test_a_quorum_goes_on_without_the_last_after_its_grace() -> None:
    quick: list[Said] = [0.5, reply("42", 0.9)]
    ask = FakeAsk(a=quick, b=quick, c=quick, d=[3600.0, "late"], judge=verdict(support="A, B, C"))
    run = run_of("a", "b", "c", "d", quorum=0.75, straggler_grace=2)
    began = anyio.current_time()
    ended, _ = await consult(run, ask)
    assert anyio.current_time() - began == pytest.approx(2.5)
    assert ended.status == "degraded"
    assert ended.best is not None
    assert [r.status for r in ended.best.responses] == ["answered"] * 3 + ["cut"]
    assert ended.best.verdict.parts.votes == 3
    assert ended.best.responses[3].error_kind == "quorum"


async def test_who_answers_within_the_grace_is_heard() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=[1.0, reply("42", 0.9)], judge=verdict())
    run, _ = await consult(run_of("a", "b", quorum=0.5, straggler_grace=2), ask)
    assert run.status == "completed"


async def test_an_agent_program_that_starts_slowly_is_no_straggler() -> None:
    quick: list[Said] = [reply("42", 0.9)]
    ask = FakeAsk(**{"a": quick, "b": quick, "agent/claude": [6.0, *quick], "judge": verdict()})
    run = run_of("a", "b", "agent/claude", quorum=0.6, straggler_grace=2)
    ended, _ = await consult(run, ask)
    assert ended.status == "completed"


async def test_a_failed_member_is_no_part_of_the_quorum() -> None:
    slow: list[Said] = [9.0, reply("42", 0.9)]
    said = verdict(support="A, C", groups="A, C", ranking="A, C")
    ask = FakeAsk(a=reply("42", 0.9), b=MemberError("down"), c=slow, judge=said)
    began = anyio.current_time()
    run, _ = await consult(run_of("a", "b", "c", quorum=0.6, straggler_grace=1), ask)
    assert anyio.current_time() - began == pytest.approx(9)
    assert run.stop_reason == "threshold"


async def test_a_quorum_that_is_missed_ends_the_run_with_what_there_is() -> None:
    said = verdict(support="A", groups="A", ranking="A", needs_iteration="true")
    ask = FakeAsk(a=reply("42", 0.9), b=MemberError("down"), judge=said)
    run, _ = await consult(run_of("a", "b", quorum=0.75), ask)
    assert (run.status, run.stop_reason) == ("degraded", "quorum")
    assert len(run.iterations) == 1


async def test_a_member_that_is_still_out_is_not_asked_twice_at_once() -> None:
    said = verdict(support="A, B, C", needs_iteration="true")
    quick = reply("42", 0.5)
    ask = FakeAsk(a=quick, b=quick, c=quick, d=[3600.0, "late"], judge=said)
    run = run_of("a", "b", "c", "d", quorum=0.75, straggler_grace=0, max_iterations=2)
    ended, _ = await consult(run, ask)
    assert len(ended.iterations) == 2
    assert len(ask.asked("d")) == 1


async def test_an_iteration_that_the_budget_could_not_finish_is_not_begun() -> None:
    ask = FakeAsk(a=reply("42", 0.9), judge=verdict(support="A", groups="A", ranking="A", needs_iteration="true"))  # fmt: skip  # noqa: E501
    run, _ = await consult(run_of("a", max_calls=3), ask)
    assert (run.status, run.stop_reason) == ("completed", "budget")
    assert len(ask.questions) == 2


async def test_a_call_that_does_not_fit_is_said_on_its_response() -> None:
    ask = Budget(FakeAsk(a=reply("42", 0.9), judge=verdict()), max_calls=1, max_total_tokens=None)
    run, _ = await consult(run_of("a", "a"), ask)
    assert (run.status, run.stop_reason) == ("degraded", "budget")
    assert run.best is not None
    assert sorted(r.status for r in run.best.responses) == ["answered", "cut"]
    assert any("not asked: max_calls is 1" in warning for warning in run.warnings)


async def test_one_prompt_too_long_for_the_budget_ends_the_run_after_its_verdict() -> None:
    run = run_of("a", "b")
    wordy = run.members[1].model_copy(update={"system": "x" * 8000})
    run = run.model_copy(update={"members": (run.members[0], wordy)})
    said = verdict(support="A", groups="A", ranking="A", needs_iteration="true")
    ask = Budget(FakeAsk(a=reply("42", 0.9), judge=said), max_calls=None, max_total_tokens=1500)
    ended, _ = await consult(run, ask)
    assert (ended.status, ended.stop_reason) == ("degraded", "budget")
    assert ended.best is not None
    assert not ended.best.verdict.degraded


async def test_a_deadline_that_passes_between_iterations_ends_the_run() -> None:
    async def dawdle(event: Event) -> None:
        if isinstance(event, Judged):
            await anyio.sleep(60)

    ask = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9), judge=verdict(needs_iteration="true"))
    async with anyio.create_task_group() as late:
        run = await consultation.consult(run_of("a", "b", deadline_seconds=10), ask, dawdle, late)
    assert (run.stop_reason, len(run.iterations)) == ("deadline", 1)


async def test_thinking_without_an_answer_is_no_answer() -> None:
    ask = FakeAsk(a="<think>let me see", b="<confidence>0.9</confidence>")
    run, _ = await consult(run_of("a", "b"), ask)
    assert run.status == "failed"
    assert "holds no answer" in str(run.error)


async def test_what_a_reply_warns_of_reaches_the_report() -> None:
    class Truncating(FakeAsk):
        async def __call__(self, question: Question, /) -> Reply:
            answer = await super().__call__(question)
            return answer.model_copy(update={"warnings": ("the reply was cut short",)})

    ask = Truncating(a=reply("42", 0.9), judge=verdict(support="A", groups="A", ranking="A"))
    run, _ = await consult(run_of("a"), ask)
    assert set(run.warnings) == {
        "a (A) in iteration 1: the reply was cut short",
        "The arbiter judge: the reply was cut short",
    }
    assert run.status == "completed"


async def test_iterations_that_were_asked_for_and_not_made_are_said() -> None:
    ask = FakeAsk(a=reply("42", 0.9), judge=verdict(support="A", groups="A", ranking="A"))
    run, _ = await consult(run_of("a", min_iterations=3, max_calls=3), ask)
    assert (run.status, run.stop_reason) == ("degraded", "budget")
    assert "Only 1 of at least 3 iterations were made (budget)." in run.warnings


async def test_cancelling_the_run_cancels_its_calls() -> None:
    ask = FakeAsk(a=[3600.0, "x"], judge=verdict())
    with anyio.move_on_after(5) as scope:
        await consult(run_of("a"), ask)
    assert scope.cancelled_caught


async def test_an_unknown_strategy_lists_those_there_are() -> None:
    with pytest.raises(UnknownStrategy, match="auto, synthesis, vote"):
        get_strategy("syntesis")
    assert all(strategy.description for strategy in STRATEGIES.values())


DOUBTFUL = verdict(needs_iteration="true")


async def interrupted_at(event_number: int, run: Run, ask: Ask) -> Run:
    """The run as it stood when its process died right after this event."""
    kept = run

    async def on_event(event: Event) -> None:
        nonlocal event_number, kept
        if isinstance(event, HearingEnded):
            kept = kept.model_copy(update={"unjudged": event.responses})
        elif isinstance(event, Judged):
            kept = event.run
        event_number -= 1
        if event_number < 0:
            group.cancel_scope.cancel()
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        await consultation.consult(run, ask, on_event, group)
    return kept


@pytest.mark.parametrize("event_number", range(15))
async def test_a_run_that_goes_on_comes_to_the_same_end(event_number: int) -> None:
    def ask() -> FakeAsk:
        return FakeAsk(a=reply("42", 0.9), b=reply("41", 0.4), judge=DOUBTFUL)

    undisturbed, events = await consult(run_of("a", "b", min_iterations=3), ask())
    assert len(events) == 15
    kept = await interrupted_at(event_number, run_of("a", "b", min_iterations=3), ask())
    resumed, _ = await consult(kept, ask())
    assert resumed == undisturbed


async def test_what_was_heard_or_judged_is_not_asked_again() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.4), judge=DOUBTFUL)
    kept = await interrupted_at(3, run_of("a", "b"), ask)
    assert [r.label for r in kept.unjudged] == ["A", "B"]
    again = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.4), judge=DOUBTFUL)
    await consult(kept, again)
    assert [(q.iteration, q.role) for q in again.questions][:2] == [(1, "arbiter"), (2, "member")]
    ended = await interrupted_at(14, run_of("a", "b", min_iterations=3), ask)
    nobody = FakeAsk()
    run, _ = await consult(ended, nobody)
    assert (run.status, len(run.iterations)) == ("completed", 3)
    assert nobody.questions == []


async def test_the_time_before_an_interruption_counts_towards_the_deadline() -> None:
    run = run_of("a", deadline_seconds=60).model_copy(update={"elapsed": 50.0})
    began = anyio.current_time()
    ended, _ = await consult(run, FakeAsk(a=[3600.0, ""], judge=verdict()))
    assert anyio.current_time() - began == pytest.approx(10)
    assert ended.stop_reason == "deadline"


async def test_a_judging_that_was_cut_is_known_to_be_that_after_an_interruption() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9), judge=[3600.0, ""])
    run = run_of("a", "b", deadline_seconds=60)
    kept = await interrupted_at(4, run, ask)
    assert kept.iterations[0].cut == "deadline"
    resumed, _ = await consult(kept.model_copy(update={"elapsed": 0.0}), FakeAsk())
    assert (resumed.status, resumed.stop_reason) == ("degraded", "deadline")


async def test_one_answer_left_of_two_is_heard_by_the_arbiter_and_asked_again() -> None:
    down = MemberError("HTTP 500", kind="http")
    ask = FakeAsk(a=reply("42", 0.9), b=down, judge=verdict(support="A", groups="A", ranking=""))
    run, _ = await consult(run_of("a", "b", strategy="auto", max_iterations=2), ask)
    assert len(ask.asked("judge")) == 2
    assert len(ask.asked("b")) == 2
    assert run.best is not None
    assert run.best.verdict.parts.agreement is None
    assert run.best.verdict.confidence == pytest.approx(0.45)
    assert run.stop_reason == "stable"
    assert any("stands alone" in warning for warning in run.warnings)


async def test_one_answer_left_is_not_asked_again_where_nobody_else_can_answer() -> None:
    gone = MemberError("HTTP 401", kind="key", permanent=True)
    ask = FakeAsk(a=reply("42", 0.9), b=gone, judge=verdict(support="A", groups="A", ranking=""))
    run, _ = await consult(run_of("a", "b", strategy="auto"), ask)
    assert (len(ask.asked("a")), len(ask.asked("judge"))) == (1, 1)
    assert (run.status, run.stop_reason) == ("degraded", "members_failed")


@pytest.mark.parametrize(
    "strategy", ["synthesis", "auto", "rank", "elimination", "debate", "roles"]
)
async def test_whoever_judges_is_told_the_askers_criteria(strategy: str) -> None:
    ranked = verdict(support="A", groups="A; B", ranking="A, B")
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.9), judge=ranked)
    run = run_of("a", "b", strategy=strategy, max_iterations=1, criteria="Answer in $French.")
    await consult(run, ask)
    [system] = {question.system for question in ask.asked("judge")}
    assert system is not None
    assert system.endswith("\n\nAnswer in $French.")
    assert not any("French" in f"{q.system}{q.prompt}" for q in (*ask.asked("a"), *ask.asked("b")))


async def test_a_tie_is_broken_by_the_askers_criteria() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.9), judge='{"answer": "42"}')
    await consult(run_of("a", "b", strategy="tally", criteria="Prefer round numbers."), ask)
    assert all("Prefer round numbers." in str(q.system) for q in ask.asked("judge"))
    assert ask.asked("judge")


async def test_to_lose_a_member_never_makes_the_answer_surer() -> None:
    """A split first iteration stands before a second one in which one member is alone."""
    gone = MemberError("HTTP 500", kind="http")
    ask = FakeAsk(
        a=[reply("42", 0.9), reply("42", 0.95)], b=[reply("41", 0.9), gone],
        judge=verdict(support="A", groups="A; B", ranking="A, B", needs_iteration="true"),
    )  # fmt: skip
    run, _ = await consult(run_of("a", "b", max_iterations=2), ask)
    assert run.best is run.iterations[0]


@pytest.mark.parametrize(
    ("threshold", "calibration"),
    [(0.2, None), (0.8, Calibration(slope=1, intercept=3, labelled=100, fitted_at="2026-11-29"))],
)
async def test_a_lone_answer_is_tried_again_whatever_raises_its_confidence(
    threshold: float, calibration: Calibration | None
) -> None:
    down = MemberError("HTTP 500", kind="http")
    ask = FakeAsk(a=reply("42", 0.9), b=down, judge=verdict(support="A", groups="A", ranking=""))
    run = run_of("a", "b", strategy="auto", confidence_threshold=threshold)
    run, _ = await consult(run.model_copy(update={"calibration": calibration}), ask)
    assert len(ask.asked("b")) == 2
    assert run.stop_reason == "stable"
