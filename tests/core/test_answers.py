from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.reading.final_answers import final_answer
from consortium_mcp.core.reading.markup import tag_content, without_thinking
from consortium_mcp.core.reading.prose import prose
from consortium_mcp.core.reading.stated_confidence import read_confidence, stated_confidence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.85", 0.85),
        (".85", 0.85),
        ("0,85", 0.85),
        ("1", 1.0),
        ("1.0", 1.0),
        ("0", 0.0),
        ("85%", 0.85),
        ("85 %", 0.85),
        ("92,5 %", 0.925),
        ("95 percent", 0.95),
        ("95 per cent", 0.95),
        ("85", 0.85),
        ("100", 1.0),
        ("17/20", 0.85),
        ("9 out of 10", 0.9),
        ("9 of 10", 0.9),
        ("0.8 (fairly sure)", 0.8),
        ("~0.7", 0.7),
        ("about 0.7.", 0.7),
        ("Confidence: 0.9", 0.9),
        ("high", 0.875),
        ("Very likely", 0.875),
        ("low confidence", 0.325),
    ],
)
def test_reads_a_confidence(text: str, expected: float) -> None:
    assert read_confidence(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "banana",
        "very banana",
        "-0.5",
        "- 0.5",
        "−0.5",
        "1.5",
        "5",
        "150%",
        "1e-1",
        "1e9",
        "1,000,000",
        "3/0",
        "5/4",
        "0.7 to 0.9",
        "between 0.7 and 0.9",
        "gpt4",
        "nan",
        "inf",
        "0.8" * 200,
        "½",
        "０.９",
    ],
)
def test_nonsense_is_no_confidence(text: str) -> None:
    assert read_confidence(text) is None


@given(st.floats(min_value=0, max_value=1))
def test_every_decimal_share_is_read_back(share: float) -> None:
    assert read_confidence(f"{share:.6f}") == pytest.approx(share, abs=1e-6)


@given(st.integers(min_value=0, max_value=100))
def test_every_percentage_is_read_back(percent: int) -> None:
    assert read_confidence(f"{percent}%") == pytest.approx(percent / 100)


@given(st.integers(min_value=0, max_value=500), st.integers(min_value=1, max_value=500))
def test_every_fraction_is_read_back_or_refused(part: int, whole: int) -> None:
    expected = part / whole if part <= whole else None
    assert read_confidence(f"{part}/{whole}") == (expected and pytest.approx(expected))


@given(st.text())
def test_no_text_makes_a_number_outside_0_to_1(text: str) -> None:
    for found in (read_confidence(text), stated_confidence(f"<confidence>{text}</confidence>")):
        assert found is None or (0 <= found <= 1 and not math.isnan(found))


@given(st.text(alphabet=st.characters(exclude_characters="0123456789", exclude_categories=["Nd"])))
def test_text_without_digits_or_words_for_it_makes_no_number(text: str) -> None:
    known = {"high", "likely", "even", "medium", "moderate", "low", "unlikely", "certain", "chance"}
    if not known & set(text.casefold().split()):
        assert read_confidence(text) is None


def test_the_last_complete_tag_counts() -> None:
    text = "<final_answer>41</final_answer> no, <final_answer>42</final_answer> <final_answer>4"
    assert final_answer(text) == "42"


def test_a_tag_within_a_tag_is_the_inner_one() -> None:
    assert final_answer("<final_answer>a <final_answer>b</final_answer>") == "b"


@pytest.mark.parametrize(
    "text",
    [
        "<think><final_answer>41</final_answer></think>",
        " <thinking>it is <final_answer>41</final_answer>",
        "```\n<final_answer>41</final_answer>\n```",
        "~~~xml\n<final_answer>41</final_answer>\n~~~\n",
        "   ````\n<final_answer>41</final_answer>\n```\n",
        "```\nnever closed\n<final_answer>41</final_answer>",
        "<final_answer>41",
        "41</final_answer>",
        "<final_answer>  </final_answer>",
        "<final_answer>…</final_answer>" * 0 + "<final_answer>...</final_answer>",
        f"<final_answer>{'long ' * 60}</final_answer>",
        "<final_аnswer>41</final_аnswer>",
        "",
    ],
)
def test_no_final_answer_is_read_from_thinking_code_or_halves(text: str) -> None:
    assert final_answer(text) is None


def test_a_final_answer_after_a_code_block_is_read() -> None:
    text = "```python\nprint('<final_answer>1</final_answer>')\n```\n<final_answer>2</final_answer>"
    assert final_answer(text) == "2"


def test_inline_backticks_open_no_block() -> None:
    assert final_answer("```x``` is code\n<final_answer>2</final_answer>") == "2"


def test_tags_may_be_spelled_loosely() -> None:
    assert final_answer("< FINAL_ANSWER >Tokyo</ final_answer >") == "Tokyo"


@given(st.text(), st.text())
def test_reading_never_raises(before: str, inside: str) -> None:
    text = f"{before}<final_answer>{inside}</final_answer>"
    found = final_answer(text)
    assert found is None or found
    assert tag_content(text, "confidence") is None or "<confidence>" in text.lower()


def test_a_reply_without_tags_states_nothing() -> None:
    assert final_answer("Tokyo.") is None
    assert stated_confidence("I am 90% sure.") is None


def test_thinking_is_taken_out() -> None:
    assert without_thinking("<think>hm</think>Tokyo <Thinking>or not</thinking>!") == "Tokyo !"
    assert without_thinking("<think>cut off in the middle of") == ""


def test_speaking_of_a_thinking_tag_is_not_thinking() -> None:
    text = "In HTML write `<think>` first. <final_answer>42</final_answer>"
    assert without_thinking(text) == text
    assert final_answer(text) == "42"


def test_prose_is_what_a_person_reads() -> None:
    reply = (
        "<think>x</think>It is Tokyo.\n<final_answer>Tokyo</final_answer><confidence>1</confidence>"
    )
    assert prose(reply) == "It is Tokyo."
    assert prose("<final_answer>Tokyo</final_answer>") == "Tokyo"
    assert prose("") == ""


def test_clean_text_can_be_stored_and_sent() -> None:
    dirty = "a\x00b\ud800c\x1b[31m\td\r\n"
    assert clean(dirty) == "ab?c[31m\td\r\n"
    clean(dirty).encode("utf-8")
