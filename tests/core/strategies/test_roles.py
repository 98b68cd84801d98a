from __future__ import annotations

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.strategies.roles import role_of
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


def cast(**roles: str | None) -> Run:
    run = run_of(*roles, strategy="roles", max_iterations=1)
    members = [m.model_copy(update={"role": roles[m.model]}) for m in run.members]
    return run.model_copy(update={"members": tuple(members)})


def test_parts_are_dealt_out_in_order_to_those_who_have_none() -> None:
    run = cast(a=None, b="Devil's advocate", c=None, d=None, e=None, f="A security reviewer.")
    assert [role_of(member, run) for member in run.members] == [
        "generator",
        "devils_advocate",
        "devils_advocate",
        "fact_checker",
        "generator",
        "A security reviewer.",
    ]


async def test_critics_read_the_proposals_of_their_iteration_and_generators_do_not() -> None:
    ask = FakeAsk(
        a=reply("42", 0.9, "Six sevens."),
        b=reply("41", 0.9, "But in base 13?"),
        c=reply("42", 0.9, "Recomputed."),
        judge=verdict(support="A, C", groups="A, C; B"),
    )
    ended = await consulted(cast(a=None, b=None, c=None), ask)
    assert (ask.questions[0].model, ask.questions[-1].model) == ("a", "judge")
    generator, advocate, checker, judge = (ask.asked(m)[0] for m in ("a", "b", "c", "judge"))
    assert generator.prompt == "How many?"
    assert "the generator" in str(generator.system)
    assert "devil's advocate" in str(advocate.system)
    assert "fact checker" in str(checker.system)
    for critic in (advocate, checker):
        assert "Six sevens." in critic.prompt
        assert "base 13" not in critic.prompt
    assert "base 13" in judge.prompt
    assert ended.status == "completed"


async def test_roles_of_ones_own_speak_with_those_who_propose() -> None:
    ask = FakeAsk(a=reply("1"), b=reply("2"), judge=verdict(final_answer=""))
    await consulted(cast(a="Answer as a lawyer would.", b="fact-checker"), ask)
    lawyer, checker = ask.asked("a")[0], ask.asked("b")[0]
    assert "Your part here: Answer as a lawyer would." in str(lawyer.system)
    assert "have proposed answers" in checker.prompt


async def test_critics_without_proposals_answer_the_question_itself() -> None:
    ask = FakeAsk(a=MemberError("down"), b=reply("42"), judge=verdict(support="B", groups="", ranking=""))  # fmt: skip  # noqa: E501
    await consulted(cast(a="generator", b="fact checker"), ask)
    assert ask.asked("b")[0].prompt == "How many?"
    ask = FakeAsk(a=reply("1"), b=reply("42"), judge=verdict(final_answer=""))
    await consulted(cast(a="devil's advocate", b="fact checker"), ask)
    assert {q.model for q in ask.questions[:2]} == {"a", "b"}
    assert {q.prompt for q in ask.questions[:2]} == {"How many?"}


async def test_own_system_prompt_and_part_are_both_told() -> None:
    run = cast(a=None)
    members = (run.members[0].model_copy(update={"system": "You are terse."}),)
    ask = FakeAsk(a=reply("42"), judge=verdict(support="A", groups="", ranking=""))
    await consulted(run.model_copy(update={"members": members}), ask)
    assert str(ask.questions[0].system).startswith("You are terse.\n\nYour part on this panel")
