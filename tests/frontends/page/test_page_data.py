from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.frontends.page.model import RunPage
from consortium_mcp.frontends.page.page_data import run_page
from tests.support.fakes import reply, run_of, verdict
from tests.support.page_runs import RUNS, page_of, record_of

if TYPE_CHECKING:
    from consortium_mcp.frontends.page.model import PageGroup


def kinds(page: RunPage) -> list[tuple[str, list[str]]]:
    return [(group.kind, group.labels) for group in page.groups]


def group(page: RunPage, kind: str) -> PageGroup:
    return next(each for each in page.groups if each.kind == kind)


def test_groups_are_those_of_the_vote_disagreement_first() -> None:
    page = page_of("answered")
    assert kinds(page) == [
        ("disagrees", ["D", "E"]),
        ("agrees", ["A", "B", "C"]),
        ("abstains", ["F"]),
        ("failed", ["G"]),
    ]
    against = group(page, "disagrees")
    assert against.final_answer == "an advisory lock"
    assert isinstance(against.argument, str)
    assert "vacuum" in against.argument
    assert page.equation == "41 % = 50 % agreement (3 of 6) × 82 % stated"


def test_answers_that_are_equal_are_one_group_however_they_are_written() -> None:
    run = run_of("a", "b", "c", strategy="vote", max_iterations=1)
    record = record_of(
        run, {"a": reply("1,000"), "b": reply("1000"), "c": reply("10^3"), "judge": verdict()}
    )
    assert kinds(run_page(record)) == [("agrees", ["A", "B", "C"])]


def test_what_an_arbiter_says_of_a_member_without_a_short_answer_is_dissent() -> None:
    run = run_of("a", "b", max_iterations=1)
    judged = verdict(support="A", groups="A; B", dissent="B: It could be anything.")
    record = record_of(run, {"a": reply("42"), "b": "Who knows?", "judge": judged})
    page = run_page(record)
    assert kinds(page) == [("disagrees", ["B"]), ("agrees", ["A"])]
    assert page.groups[0].argument == "It could be anything."


def test_texts_are_without_tags_and_the_exact_reply_is_kept() -> None:
    page = page_of("answered")
    first = page.iterations[0].responses[0]
    assert first.text == "Take the row lock; it ends by itself.\nFOR UPDATE SKIP LOCKED"
    call = page.calls[0]
    assert "<final_answer>" in str(call.reply)
    assert "PostgreSQL" in str(call.prompt)
    plain = page.calls[5]  # it has no tags, so it stands there once
    assert plain.reply is None
    assert page.iterations[0].responses[5].text == (
        "It depends on how long a job takes; both can work."
    )


def test_the_reported_iterations_synthesis_stands_once() -> None:
    page = page_of("debate")
    assert page.reported_iteration == 3
    assert page.iterations[2].synthesis is None
    assert [it.confidence is not None for it in page.iterations] == [True] * 3
    assert str(page.iterations[0].synthesis).startswith("Probably 24")
    assert [[g.kind for g in it.groups] for it in page.iterations] == [
        ["disagrees", "disagrees", "agrees"],
        ["disagrees", "agrees"],
        ["agrees"],
    ]


@pytest.mark.parametrize("kind", ["working", "cancelled", "interrupted"])
def test_who_has_answered_within_an_iteration_is_shown(kind: str) -> None:
    page = page_of(kind)
    assert page.status == kind
    assert kinds(page) == [("answered", ["A", "C"]), ("waiting", ["B"])]
    assert page.answered == 2
    assert [m.status for m in page.members] == ["answered", "waiting", "answered"]
    assert page.iterations[0].confidence is None


def test_a_run_that_failed_has_its_members_errors() -> None:
    page = page_of("failed")
    assert kinds(page) == [("failed", ["A", "B"])]
    assert page.error
    assert page.members[0].error == "HTTP 401: the key is refused."


def test_a_degraded_run_says_so() -> None:
    assert page_of("degraded").degraded
    assert page_of("degraded").warnings
    assert not page_of("answered").degraded


def test_nested_runs_tools_and_the_conversation_are_there() -> None:
    page = page_of("nested")
    [nested] = page.nested
    assert (nested.run_id, nested.parent_call) == ("01INNER", "1/member/B/1")
    assert kinds(nested) == [("disagrees", ["B"]), ("agrees", ["A"])]
    assert [use.name for use in page.calls[0].tools] == ["multiply"]
    assert page.history[0].prompt == "Five × 7?"


def test_an_object_has_its_fields_and_attachments() -> None:
    page = page_of("object")
    assert page.data == {"vendor": "Example Ltd", "total": 120.5, "paid": False}
    assert len(page.fields) == 3
    assert [each.name for each in page.attachments] == ["invoice.pdf"]
    assert page.equation == "79 % from 89 % agreement over 3 fields"


def test_an_iteration_that_an_early_version_recorded_is_read_from_its_calls() -> None:
    run = run_of("a", "b", max_iterations=1)
    record = record_of(run, {"a": reply("42", 0.9), "b": reply("41", 0.9), "judge": verdict()})
    early = record.model_copy(
        update={"iterations": (record.iterations[0].model_copy(update={"responses": None}),)}
    )
    page = run_page(early)
    assert [each.label for each in page.iterations[0].responses] == ["A", "B"]


def test_tries_are_counted_over_all_attempts() -> None:
    run = run_of("a", "b", max_iterations=1)
    down = MemberError("HTTP 500", tries=3)
    page = run_page(record_of(run, {"a": reply("42"), "b": down, "judge": verdict()}))
    assert [member.tries for member in page.members] == [1, 3]


@pytest.mark.parametrize("kind", RUNS)
def test_every_page_reads_back(kind: str) -> None:
    page = RUNS[kind]()
    assert type(page).model_validate_json(page.model_dump_json()) == page
