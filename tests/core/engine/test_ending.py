"""The warnings of a run that has ended: one for all to whom the same happened."""

from __future__ import annotations

import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


class Truncating(FakeAsk):
    """Whose members' replies were all cut."""

    async def __call__(self, question: Question, /) -> Reply:
        answer = await super().__call__(question)
        cut = () if question.role == "arbiter" else ("the reply was cut short",)
        return answer.model_copy(update={"warnings": cut})


async def test_what_happened_to_many_in_several_iterations_is_one_warning() -> None:
    models = [*["m"] * 31, "other"]
    ask = Truncating(m=reply("42", 0.5), other=reply("42", 0.5), judge=verdict(groups=""))
    run = await consulted(run_of(*models, min_iterations=2, max_iterations=2), ask)
    labels = [response.label for response in run.iterations[0].responses]
    who = f"m ({', '.join(labels[:31])}), other ({labels[31]})"
    assert run.warnings == (f"{who} in iterations 1, 2: the reply was cut short",)


async def test_what_happened_to_others_in_another_iteration_is_told_apart() -> None:
    down = MemberError("HTTP 500")
    ask = FakeAsk(
        a=reply("42", 0.5),
        b=[down, reply("42", 0.5)],
        c=down,
        judge=verdict(support="A", groups="", ranking=""),
    )
    run = await consulted(run_of("a", "b", "c", min_iterations=2, max_iterations=2), ask)
    assert run.warnings == (
        "b (B), c (C) did not answer in iteration 1: HTTP 500",
        "c (C) did not answer in iteration 2: HTTP 500",
    )


async def test_a_reason_that_nobody_answered_is_told_once() -> None:
    ask = FakeAsk(a=MemberError("HTTP 500"), b=MemberError("HTTP 500"), c=MemberError("no key"))
    run = await consulted(run_of("a", "a", "b", "c"), ask)
    assert run.error == "No member answered. a (2 times), b: HTTP 500; c: no key"


@pytest.mark.parametrize(
    ("arbiter", "said"),
    [
        ("gpt-a", "The arbiter gpt-a is also a member"),
        ("gpt-c", "The arbiter gpt-c is of the same family as gpt-a, gpt-b"),
        ("claude", None),
    ],
)
async def test_an_arbiter_that_may_favour_its_own_is_named_where_it_judged(
    arbiter: str, said: str | None
) -> None:
    script = {"gpt-b": reply("42"), "claude": verdict(), "gpt-c": verdict()}
    ask = FakeAsk(**{"gpt-a": [reply("42"), verdict()], **script})
    run = await consulted(run_of("gpt-a", "gpt-b", arbiter=arbiter, max_iterations=1), ask)
    assert [each for each in run.warnings if said and each.startswith(said)] == [*run.warnings]
    assert len(run.warnings) == (said is not None)


async def test_where_no_arbiter_was_asked_nothing_is_said_of_one() -> None:
    ask = FakeAsk(**{"gpt-a": reply("42", 0.9), "gpt-b": reply("42", 0.9)})
    run = await consulted(run_of("gpt-a", "gpt-b", arbiter="gpt-a", strategy="auto"), ask)
    assert run.status == "completed"
    assert run.warnings == ()
