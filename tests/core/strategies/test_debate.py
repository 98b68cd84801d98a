from __future__ import annotations

import pytest

from consortium_mcp.core.domain.errors import MemberError
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


async def test_members_read_the_other_sides_arguments_and_no_names() -> None:
    ask = FakeAsk(
        alpha=reply("42", 0.9, "Six sevens."),
        beta=reply("42", 0.7, "By heart."),
        gamma=reply("41", 0.8, "It must be odd."),
    )
    run = run_of("alpha", "beta", "gamma", strategy="debate", max_iterations=2)
    await consulted(run, ask)
    again = ask.asked("alpha")[1].prompt
    assert again.startswith("How many?")
    assert "Your answer was" in again
    assert "Six sevens." in again
    assert "It must be odd." in again
    assert "By heart." not in again  # its own side
    against = ask.asked("gamma")[1].prompt
    assert "Six sevens." in against  # the stronger of the two that say 42
    assert "By heart." not in against
    for question in ask.questions:
        assert not {"alpha", "beta", "gamma"} & set(question.prompt.split())


async def test_a_debate_ends_when_nobody_disagrees() -> None:
    ask = FakeAsk(a=reply("42", 0.5), b=[reply("41", 0.4), reply("42", 0.5)])
    ask._script["judge"] = [verdict(support="A", groups="", ranking="")]
    run = run_of("a", "b", strategy="debate", max_iterations=9, confidence_threshold=1)
    ended = await consulted(run, ask)
    assert (ended.stop_reason, len(ended.iterations)) == ("stable", 2)


async def test_who_missed_the_first_exchange_reads_what_was_proposed() -> None:
    ask = FakeAsk(
        a=reply("42", 0.5, "Six sevens."),
        b=reply("41", 0.5, "Odd."),
        c=[MemberError("HTTP 500"), reply("42", 0.5)],
        judge=verdict(support="A", groups="A", ranking=""),
    )
    await consulted(run_of("a", "b", "c", strategy="debate", max_iterations=2), ask)
    prompt = ask.asked("c")[1].prompt
    assert "have proposed answers" in prompt
    assert "Six sevens." in prompt
    assert "Odd." in prompt


async def test_where_all_agree_the_question_is_simply_asked_again() -> None:
    ask = FakeAsk(a=reply("42", 0.5), b=reply("42", 0.5))
    run = run_of("a", "b", strategy="debate", min_iterations=2)
    await consulted(run, ask)
    assert [q.prompt for q in ask.questions] == ["How many?"] * 4
