from __future__ import annotations

import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judging.arbitration import arbitrate
from consortium_mcp.core.prompts.quoting import boundary
from tests.support.fakes import FakeAsk, answered, consulted, failed, reply, run_of, verdict

pytestmark = pytest.mark.anyio

RESPONSES = (
    answered("A", "42", 0.6),
    answered("B", "42", 0.9, "Six sevens."),
    answered("C", "41", 1.0),
)


async def judged(ask: FakeAsk) -> Verdict:
    return await arbitrate(run_of("a", "b", "c"), RESPONSES, ask)


async def test_the_synthesis_is_the_arbiters_the_numbers_are_computed() -> None:
    said = verdict(groups="A, B; C", dissent="C: miscounts", ranking="B, A, C", confidence="1.0")
    found = await judged(FakeAsk(judge=said))
    assert found.synthesis == "It is 42."
    assert found.parts.agreement == pytest.approx(2 / 3)
    assert found.confidence == pytest.approx(2 / 3 * 0.75)
    assert found.parts.arbiter_confidence == 1.0
    assert [(d.labels, d.argument) for d in found.dissent] == [(("C",), "miscounts")]
    assert found.ranking == ("B", "A", "C")
    assert not found.degraded


async def test_without_groups_from_the_arbiter_equal_answers_are_grouped() -> None:
    found = await judged(FakeAsk(judge=verdict(groups="")))
    assert found.groups == (("A", "B"), ("C",))


async def test_the_arbiter_gets_schema_labels_and_no_model_names() -> None:
    ask = FakeAsk(judge=verdict())
    await arbitrate(run_of("a", "b", "c"), (*RESPONSES, failed("D")), ask)
    question = ask.questions[0]
    assert question.role == "arbiter"
    assert question.json_schema is not None
    assert question.json_schema["properties"]["support"]["items"]["enum"] == ["A", "B", "C"]
    assert "model-" not in question.prompt
    assert question.timeout == 120


async def test_every_arbiter_gets_the_arbiters_options() -> None:
    ask = FakeAsk(judge=MemberError("HTTP 500: down"), second=verdict())
    run = run_of("a", "b", "c", arbiters=("second",), arbiter_options={"temperature": 0})
    await arbitrate(run, RESPONSES, ask)
    assert [question.options for question in ask.questions] == [{"temperature": 0}] * 2


async def test_an_unreadable_verdict_is_asked_for_again_with_what_is_wrong() -> None:
    ask = FakeAsk(judge=["I like A best.", verdict()])
    found = await judged(ask)
    assert found.synthesis == "It is 42."
    repair = ask.questions[1]
    assert repair.attempt == 2
    assert "I like A best." in repair.prompt
    assert f"[{boundary(run_of('a'), 'arbiter')}\nI like A best." in repair.prompt
    assert "no complete <verdict>" in repair.prompt
    assert repair.prompt.startswith(ask.questions[0].prompt)


@pytest.mark.parametrize("failure", ["rubbish", "down"])
async def test_when_the_arbiter_fails_the_best_supported_answer_stands_word_for_word(
    failure: str,
) -> None:
    said = "rubbish" if failure == "rubbish" else MemberError("HTTP 500: down")
    ask = FakeAsk(judge=said)
    found = await judged(ask)
    assert len(ask.questions) == (2 if failure == "rubbish" else 1)
    assert found.degraded
    assert found.synthesis == "Six sevens."
    assert found.final_answer == "42"
    assert found.supporters == ("A", "B")
    assert found.parts.arbiter_confidence is None
    assert "gave no verdict" in found.warnings[0]
    assert [d.labels for d in found.dissent] == [("C",)]


async def test_the_next_arbiter_judges_when_the_first_fails() -> None:
    ask = FakeAsk(judge=MemberError("down"), second="rubbish", third=verdict())
    run = run_of("a", "b", "c", arbiters=("second", "third"))
    found = await arbitrate(run, RESPONSES, ask)
    assert found.synthesis == "It is 42."
    assert not found.degraded
    assert [q.model for q in ask.questions] == ["judge", "second", "second", "third"]
    assert len({(q.label, q.attempt) for q in ask.questions}) == 4
    assert "The arbiter judge gave no verdict (down)" in found.warnings
    assert any("The arbiter second" in warning for warning in found.warnings)


async def test_a_member_whose_answer_is_another_is_no_support_whatever_the_arbiter_says() -> None:
    lie = verdict(synthesis="It is 43.", final_answer="43", support="A, B, C", groups="A, B, C")
    found = await judged(FakeAsk(judge=lie))
    assert found.supporters == ()
    assert found.confidence == found.parts.agreement == 0
    assert "counted A, B, C as support" in found.warnings[0]
    assert found.groups == (("A", "B"), ("C",))


async def test_members_that_contradict_each_other_cannot_all_support_an_open_verdict() -> None:
    found = await judged(FakeAsk(judge=verdict(final_answer="", support="C, A, B", groups="")))
    assert found.supporters == ("A", "B")


async def test_spellings_that_may_mean_the_same_are_left_to_the_arbiter() -> None:
    responses = (answered("A", "Tokyo"), answered("B", "Tokyo, Japan"))
    said = verdict(final_answer="Tokyo", support="A, B", groups="A, B")
    found = await arbitrate(run_of("a", "b"), responses, FakeAsk(judge=said))
    assert found.supporters == ("A", "B")
    assert found.groups == (("A", "B"),)

    assert found.parts.grouped_by == "arbiter"


async def test_what_reads_as_the_same_stays_together_whatever_the_arbiter_leaves_out() -> None:
    responses = (answered("A", "42"), answered("B", "42"), answered("C", "41"), answered("D", "41"))
    run = run_of("a", "b", "c", "d")
    for said in ("A, B", "A; B; C; D", "A; C; B, A"):
        judge = verdict(final_answer="42", support="A", groups=said, dissent="")
        found = await arbitrate(run, responses, FakeAsk(judge=judge))
        assert found.groups == (("A", "B"), ("C", "D"))
        assert [side.labels for side in found.dissent] == [("C", "D")]
        assert (found.parts.distinct_answers, found.parts.grouped_by) == (2, "answers")


async def test_a_group_that_would_join_what_contradicts_itself_is_not_made() -> None:
    responses = (answered("A", "42"), answered("B", "42"), answered("C", "forty-two or so"),
                 answered("D", "41"))  # fmt: skip
    run = run_of("a", "b", "c", "d")
    judge = verdict(final_answer="42", support="A", groups="A, C; D")
    found = await arbitrate(run, responses, FakeAsk(judge=judge))
    assert found.groups == (("A", "C", "B"), ("D",))
    judge = verdict(final_answer="42", support="A", groups="A, C; B, D")
    found = await arbitrate(run, responses, FakeAsk(judge=judge))
    assert found.groups == (("A", "B"), ("C",), ("D",))


async def test_a_phrase_and_its_negation_do_not_support_one_verdict() -> None:
    responses = (answered("A", "safe"), answered("B", "not safe"))
    said = verdict(final_answer="safe", support="A, B", groups="A, B")
    found = await arbitrate(run_of("a", "b"), responses, FakeAsk(judge=said))
    assert found.supporters == ("A",)
    assert found.groups == (("A",), ("B",))


async def test_who_judged_and_what_was_odd_about_its_reply_is_said() -> None:
    class Cut(FakeAsk):
        async def __call__(self, question: Question, /) -> Reply:
            answer = await super().__call__(question)
            return answer.model_copy(update={"warnings": ("the reply was cut short",)})

    found = await judged(Cut(judge=verdict()))
    assert found.arbiter == "judge"
    assert found.warnings == ("The arbiter judge: the reply was cut short",)


async def test_equal_groups_fall_to_the_more_confident_one() -> None:
    responses = (answered("A", "42", 0.2), answered("B", "41", 0.8), failed("C"))
    found = await arbitrate(run_of("a", "b", "c"), responses, FakeAsk(judge="?"))
    assert found.final_answer == "41"


async def test_a_long_answer_is_cut_for_the_arbiter_and_that_is_said() -> None:
    long = answered("A", "42", 0.9, text="x" * 5_000_000)
    ask = FakeAsk(judge=verdict(support="A", groups="A", ranking="A"))
    found = await arbitrate(run_of("a"), (long,), ask)
    assert len(ask.questions[0].prompt) < 130_000
    assert "characters cut here" in ask.questions[0].prompt
    assert "too long for the arbiter's prompt" in found.warnings[0]


async def test_who_gave_the_verdicts_own_answer_supports_it_named_or_not() -> None:
    ask = FakeAsk(
        a=reply("42", 0.9),
        b=reply("42.0", 0.9),
        c=reply("41", 0.9),
        judge=verdict(support="A", groups="", ranking=""),
    )
    ended = await consulted(run_of("a", "b", "c", max_iterations=1), ask)
    assert ended.best is not None
    assert ended.best.verdict.supporters == ("A", "B")
    assert ended.best.verdict.parts.distinct_answers == 2
