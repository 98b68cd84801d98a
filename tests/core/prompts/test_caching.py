"""What calls share stands first, byte for byte, so that providers' caches hit."""

from __future__ import annotations

from itertools import takewhile

import pytest

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.run import Run, Turn
from consortium_mcp.core.domain.verdict import Iteration
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.prompts.caching import worth_caching
from consortium_mcp.core.prompts.for_members import question_of
from consortium_mcp.core.strategies import STRATEGIES
from tests.support.fakes import FakeAsk, answered, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio

LONG = "Is this contract sound? " + "The parties agree. " * 300
HISTORY = (Turn(prompt="Which contract?", synthesis="The one of 1984. " * 20),)


def again(run: Run) -> Run:
    """The run after an iteration."""
    said = (answered("A"),)
    heard = Iteration(number=1, responses=said, verdict=plurality(run, said))
    return run.model_copy(update={"iterations": (heard,)})


async def asked(strategy: str, history: tuple[Turn, ...]) -> tuple[Run, list[Question]]:
    """Every call of a run of three iterations in which members never agree."""
    unsure = {name: [reply(f"{n}{name}", 0.4) for n in range(9)] for name in ("a", "b", "c")}
    unclear = verdict(support="A", groups="A; B; C", ranking="A, B, C", confidence="0.2")
    ask = FakeAsk(**unsure, judge=unclear)
    run = run_of(
        "a", "b", "a", "c", prompt=LONG, system="Be brief.", strategy=strategy, min_iterations=3
    ).model_copy(update={"history": history})
    await consulted(run, ask)
    assert {question.iteration for question in ask.questions} == {1, 2, 3}
    return run, ask.questions


@pytest.mark.parametrize("history", [(), HISTORY], ids=["", "conversation"])
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_members_later_prompts_begin_with_its_first(
    strategy: str, history: tuple[Turn, ...]
) -> None:
    run, questions = await asked(strategy, history)
    whole = question_of(run)
    members = [question for question in questions if question.role == "member"]
    for question in members:
        assert question.prompt.startswith(whole)
        assert question.worth_caching in {None, len(whole)}
    for label in {question.label for question in members}:
        assert len({q.system for q in members if q.label == label}) == 1
    if strategy != "roles":  # whose members have parts of their own
        assert len({q.system for q in members if q.model == "a"}) == 1


@pytest.mark.parametrize("strategy", ["synthesis", "rank"])
async def test_an_arbiters_prompts_share_the_question_and_what_members_were_told(
    strategy: str,
) -> None:
    _, questions = await asked(strategy, HISTORY)
    prompts = [q.prompt for q in questions if q.role == "arbiter" and q.attempt == 1]
    alike = takewhile(lambda letters: len({*letters}) == 1, zip(*prompts, strict=False))
    shared = "".join(letters[0] for letters in alike)
    assert len({q.system for q in questions if q.role == "arbiter"}) == 1
    assert LONG in shared
    assert "Be brief." in shared
    assert "Answer A" in shared
    assert len(prompts) == 3
    # What fences the answers, and the code, are new each time.
    rest = [prompt.removeprefix(shared) for prompt in prompts]
    assert len({each[:40] for each in rest}) == 3


def test_a_mark_is_set_where_the_question_is_long_and_may_come_again() -> None:
    run = run_of("a", prompt=LONG)
    assert worth_caching(run, "", LONG) == len(LONG)
    assert worth_caching(run_of("a", prompt=LONG, max_iterations=1), "", LONG) is None
    assert worth_caching(run_of("a"), "", "How many?") is None
    assert worth_caching(run_of("a"), LONG, "How many?") == len("How many?")


def test_a_mark_is_set_again_where_what_is_new_is_not_much_more() -> None:
    run = again(run_of("a", prompt=LONG))
    assert worth_caching(run, "", LONG + "x" * len(LONG)) == len(LONG)
    assert worth_caching(run, "", LONG + "x" * 4 * len(LONG)) is None


def test_a_prompt_with_the_proposals_of_a_wave_has_no_mark() -> None:
    run = run_of("a", "b", prompt=LONG).model_copy(update={"unjudged": (answered("A"),)})
    assert worth_caching(run, "", f"{LONG}\n\nA proposal.") is None
    assert worth_caching(run, "", LONG) == len(LONG)


async def test_who_is_not_asked_again_has_no_mark() -> None:
    _, questions = await asked("vote", ())
    assert {question.worth_caching for question in questions} == {None}
