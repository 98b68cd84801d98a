from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.reading.final_answers import final_answer
from consortium_mcp.core.reading.markup import tag_content, without_thinking


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


def test_speaking_of_a_thinking_tag_is_not_thinking() -> None:
    text = "In HTML write `<think>` first. <final_answer>42</final_answer>"
    assert without_thinking(text) == text
    assert final_answer(text) == "42"


def test_clean_text_can_be_stored_and_sent() -> None:
    dirty = "a\x00b\ud800c\x1b[31m\td\r\n"
    assert clean(dirty) == "ab?c[31m\td\r\n"
    clean(dirty).encode("utf-8")
