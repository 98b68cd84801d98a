from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.core.reading.stated_confidence import read_confidence


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
    for found in (
        read_confidence(text),
        read_reply(f"<confidence>{text}</confidence>").stated_confidence,
    ):
        assert found is None or (0 <= found <= 1 and not math.isnan(found))


@given(st.text(alphabet=st.characters(exclude_characters="0123456789", exclude_categories=["Nd"])))
def test_text_without_digits_or_words_for_it_makes_no_number(text: str) -> None:
    known = {"high", "likely", "even", "medium", "moderate", "low", "unlikely", "certain", "chance"}
    if not known & set(text.casefold().split()):
        assert read_confidence(text) is None


def test_a_reply_without_tags_states_nothing() -> None:
    assert read_reply("Tokyo.").final_answer is None
    assert read_reply("I am 90% sure.").stated_confidence is None
