from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.local import members
from consortium_mcp.adapters.local.engine import CompletionSession, LocalEngine, LocalModelError
from consortium_mcp.frontends.cli.demo import QUESTION

if TYPE_CHECKING:
    from pathlib import Path


class FakeEngine(LocalEngine):
    """Answers in order, and remembers the requests."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.requests: list[dict[str, Any]] = []

    def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        text = self._texts.pop(0)
        choice = {"message": {"content": text}} if "chat" in method else {"text": text}
        return {"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 5}}


def test_chat_gives_one_sentence_and_copies_its_short_answer() -> None:
    engine = FakeEngine("The capital of Peru is Lima. It is big.", " Lima")
    speaker = CompletionSession(engine)
    answer = members.chat(speaker, "What is the capital of Peru?")
    assert answer == ("The capital of Peru is Lima.", "Lima")
    assert '"Lima"' in engine.requests[1]["grammar"]
    assert (speaker.input_tokens, speaker.output_tokens) == (200, 10)


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        ("Is iron a gas?", "No, iron is a metal.", "No"),
        ("Is iron a gas?", "Iron is a metal.", None),
        ("Why is the sky blue?", "The sky is blue by scattering.", None),
        ("How do I boil an egg?", "Boil it for five minutes.", None),
        ("What is the?", "The of is.", None),
    ],
)
def test_without_a_short_answer_in_the_sentence_there_is_none(
    question: str, sentence: str, short: str | None
) -> None:
    answer = members.chat(CompletionSession(FakeEngine(sentence)), question)
    assert answer == (sentence, short)


@pytest.mark.parametrize(
    ("question", "text", "short"),
    [
        ("What is 2 + 2?", "4", "4"),
        ("Why does ice float?", "Less dense", None),
        ("Who wrote Hamlet?", "It was written by a man named Shakespeare", None),
        ("Who wrote Hamlet?", "", None),
    ],
)
def test_a_quiz_answer_is_short_unless_it_is_a_phrase(
    question: str, text: str, short: str | None
) -> None:
    assert members.few_shot(CompletionSession(FakeEngine(text)), question) == (text, short)


def test_choosing_does_not_show_the_candidates() -> None:
    engine = FakeEngine("Lima")
    assert members.choose(CompletionSession(engine), "Capital of Peru?", ["rome", "lima"]) == "lima"
    assert "rome" not in engine.requests[0]["prompt"].lower()
    assert engine.requests[0]["grammar"] == 'root ::= " " ("Rome" | "Lima") "\\n"'


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        (
            "What is the smallest bird?",
            "The smallest bird is the hummingbird, which is very light.",
            ["hummingbird", "very", "very light"],
        ),
        (
            "What is 14 + 9?",
            "14 + 9 is 23.",
            ["14", "14 + 9", "14 + 9 is 23", "9", "9 is 23", "23"],
        ),
        (
            "Who painted it?",
            "It was painted by Vincent van Gogh.",
            ["Vincent", "Vincent van", "Vincent van Gogh"],
        ),
    ],
)
def test_spans_begin_where_phrases_begin_and_hold_no_word_of_the_question(
    question: str, sentence: str, expected: list[str]
) -> None:
    assert members.spans(question, sentence) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("It is Rome. And big.", "It is Rome."),
        ("J. S. Bach wrote it down. Yes.", "J. S. Bach wrote it down."),
        ("It is 42. Yes.", "It is 42."),
        ("no stop", "no stop"),
        ("one\ntwo.", "one"),
    ],
)
def test_the_first_sentence_ends_at_its_own_full_stop(text: str, sentence: str) -> None:
    assert members.first_sentence(text) == sentence


def test_the_models_are_not_given_the_answers_to_the_questions_they_are_shown_with() -> None:
    asked = {QUESTION, "What is the capital of Japan?", "What is the capital of France?"}
    shown = [
        question
        for examples in (
            members.CHAT_TURNS,
            members.QUIZ,
            members.TIE_BREAK,
            members.COPYING,
        )
        for question, *_ in examples
    ]
    assert not asked & set(shown)


def test_json_that_was_cut_is_an_error() -> None:
    with pytest.raises(LocalModelError, match="cut"):
        CompletionSession(FakeEngine('{"a": "and so')).chat(
            [], max_tokens=5, schema={"type": "object"}
        )
    assert CompletionSession(FakeEngine("{}")).chat([], max_tokens=5, schema={}) == "{}"


def test_missing_weights_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match="setup-local"):
        CompletionSession(LocalEngine(tmp_path / "none.gguf")).complete("Q:", max_tokens=1)
