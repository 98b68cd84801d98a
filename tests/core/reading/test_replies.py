from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.reading.markup import markup_of, without_thinking
from consortium_mcp.core.reading.replies import read_reply

TAGS = "<final_answer>42</final_answer>\n<confidence>0.9</confidence>"

READ_AS_42 = [
    # the demanded form
    f"It is 42.\n{TAGS}",
    TAGS,
    "It is <final_answer>42</final_answer>, surely. <confidence>0.9</confidence>",
    "<confidence>0.9</confidence>\n<final_answer>42</final_answer>",
    "< FINAL_ANSWER >42</ final_answer >\n<Confidence>0.9</Confidence>",
    "<final-answer>42</final-answer><confidence>0.9</confidence>",
    "<final_answer>41</final_answer> no: <final_answer>42</final_answer><confidence>0.9",
    # in code marks
    f"```\n{TAGS}\n```",
    f"~~~xml\nIt is 42.\n{TAGS}\n~~~\n",
    f"```markdown\nIt is **42**.\n\n```python\nprint(42)\n```\n\n{TAGS}\n```",
    "```\nIt is 42.\n<final_answer>42</final_answer>\n```\n<confidence>0.9</confidence>",
    f"It is 42:\n```xml\n{TAGS}\n```",
    "It is 42.\n`<final_answer>42</final_answer>`",
    f"```python\nprint('<final_answer>1</final_answer>')\n```\n{TAGS}",
    # a block that is never closed
    f"```python\nprint(42)\n\nSo it is 42.\n\n{TAGS}",
    f"```python\nprint(42)\n{TAGS}",
    f"As `a` and ``b` show:\n{TAGS}",
    # by habit
    f"So.\n**Final answer:** 42\n{TAGS.split(chr(10))[1]}",
    "So.\n### Final Answer\n42\n<confidence>0.9</confidence>",
    "So.\n## Answer\n\n**42**\n",
    "So.\n> Final Answer: 42\n\nLet me know if you need the steps.",
    "So.\n__Final answer__: 42\nConfidence: 90%",
    "Thus the answer is **42**",
    "So.\n<answer>\n42\n</answer>",
    "6 * 7 = 42\n#### 42",
    r"So $\boxed{42}$.",
    '{"reasoning": "6 × 7", "answer": "42"}\n<confidence>0.9</confidence>',
    'I counted:\n```json\n{"answer": 42}\n```\n<confidence>0.9</confidence>',
    'I counted: {"final_answer": "42"}',
    'So:\n```json\n{"reasoning": "6 × 7", "answer": "42"}\n```\nThe steps were:\n1. Multiply.',
    "Text.\n```xml\n<final_answer>42</final_answer>\n```\n<confidence>0.9</confidence>",
    "Run:\n```python\nprint(6*7)\n\n**Final Answer:** 42\n<confidence>0.9</confidence>",
    "Run:\n```python\nprint(6*7)\n\n<final_answer>42</final_answer>",
    "So.\nFinal Answer - 42",
    "So.\nMy final answer: 42 (confidence: 0.9)",
    # half a tag
    "So.\n<final_answer>42</answer>\n<confidence>0.9</confidence>",
    "So.\n\\<final\\_answer>42\\</final\\_answer>\n<confidence>0.9</confidence>",
    "<final_answer><![CDATA[42]]></final_answer>",
    "So.\n<final_answer>42\n<confidence>0.9</confidence>",
    '<final_answer type="number" unit="">42</final_answer>\n<confidence scale="1">0.9</confidence>',
    "<final_answer>\n\n42\n\n</final_answer>",
    # in other languages
    "Donc.\nRéponse finale : 42",
    "So.\nDie Antwort ist 42",
    "Die Antwort lautet 42",
    "La respuesta es 42",
    "Réponse : 42\nConfiance : 0,9",
    "答案：42\n置信度：0.9",
    "Entonces.\nRespuesta: 42\n<confidence>0.9</confidence>",
    "Dunque.\n**Risposta:** 42",
    "Итак.\nОтвет: 42",
    "それで。\n答え：42",
    "所以。\n最终答案：42\n",
    "所以，答案是42",
    "그래서.\n정답: 42",
    # thinking
    f"<think>41?</think>\n{TAGS}",
    f"<THINKING>41?</THINKING>\n{TAGS}",
    f"<thought>41?</thought>{TAGS}",
    f"<reasoning>41?</reasoning>\nIt is 42.\n{TAGS}",
    f'<think duration="3s">41? <final_answer>41</final_answer></think>\n{TAGS}',
    f"<think>a</think>\n<think>b <final_answer>41</final_answer></think>\n{TAGS}",
    f"[THINK]41? {TAGS.replace('42', '41')}[/THINK]{TAGS}",
    f"◁think▷41?◁/think▷It is 42.\n{TAGS}",
    f"<|channel|>analysis<|message|>41?<|end|><|start|>assistant<|channel|>final<|message|>{TAGS}",
    f"<|channel|>analysis<|message|>41?<|end|>\n<|channel|>final<|message|>{TAGS}<|return|>",
    f"<|channel>thought\n41?\n<channel|>It is 42.\n{TAGS}",
    f"<|START_THINKING|>41?<|END_THINKING|>{TAGS}",
    f"41? <final_answer>41</final_answer>\n</think>\n\n{TAGS}",
    f"They want 6*7.</think>\n\nIt is 42.\n{TAGS}",
    f"<think>Is `</think>` the end? 41?\n</think>\nIt is 42.\n{TAGS}",
    f"<think>never closed, 41\n\nIt is 42.\n{TAGS}",
    f"<think>never closed\n{TAGS}",
    f"\ufeff<think>41?</think>{TAGS}",
    f"<think>it's `one backtick, 41</think>\nIt is 42.\n{TAGS}",
    f"Maybe 41.</think>\nIt is 42.\n{TAGS}",
]  # fmt: skip


@pytest.mark.parametrize("text", READ_AS_42)
def test_a_final_answer_is_read_in_the_forms_that_models_write(text: str) -> None:
    found = read_reply(text)
    assert found.final_answer == "42"
    assert "42" in found.prose
    assert "<final" not in found.prose.lower().replace("print('<final", "")
    assert "41" not in found.prose or "<final_answer>41</final_answer> no" in text


NO_ANSWER = [
    "",
    "It depends.",
    # shrugs
    "<final_answer>N/A</final_answer>",
    "Essay.\n<final_answer>n/a.</final_answer>",
    "<final_answer>Not applicable</final_answer>",
    "<final_answer>…</final_answer>",
    "<final_answer>...</final_answer>",
    "<final_answer>[...]</final_answer>",
    "<final_answer>The short answer alone</final_answer>",
    "<final_answer>Nicht zutreffend</final_answer>",
    "<final_answer>不适用</final_answer>",
    "<final_answer>  </final_answer>",
    "<final_answer/>",
    f"<final_answer>{'long ' * 60}</final_answer>",
    "<final_answer>N/A (an open question)</final_answer>",
    "<final_answer>No final answer</final_answer>",
    "<final_answer>\u200b</final_answer>",
    '{"answer": null}',
    "The answer isn't known.",
    "The answer issue: x",
    # samples
    'Store this:\n```json\n{"answer": "Paris"}\n```\nand index it.',
    '{"answer": "Paris"} is the row.\nUse Postgres.',
    "End with `<final_answer>x</final_answer>` please.",
    "End with\n```\n<final_answer>x</final_answer>\n```\nplease.\n<confidence>0.9</confidence>",
    "```python\nprint('Final answer: 41')\n```",
    "~~~\n<final_answer>41</final_answer>\n~~~\nThat is the form.",
    # thinking
    "<think>it is <final_answer>41</final_answer>",
    " <thinking>it is <final_answer>41</final_answer>",
    "<think><final_answer>41</final_answer></think>",
    # halves
    "```\nnever closed\n<final_answer>41</final_answer>",
    "   ````\n<final_answer>41</final_answer>\n```\n",
    "<final_answer>41",
    "41</final_answer>",
    "<final_аnswer>41</final_аnswer>",
    # not said as an answer
    "The answer is 41 at first sight. But look again:\nit is more.",
    "I think the answer may be 42",
    r"\boxed{never closed",
    "What is the answer?\nWe will see.",
]


@pytest.mark.parametrize("text", NO_ANSWER)
def test_no_final_answer_is_seen_where_there_is_none(text: str) -> None:
    assert read_reply(text).final_answer is None


LONG = "Use expand and contract: " + "add the column, backfill it, switch the reads, " * 7

KEPT: list[tuple[str, str]] = [
    ("I multiplied.\n<final_answer>42</final_answer>\n<confidence>1</confidence>",
     "I multiplied.\n42"),
    ("The answer is <final_answer>42</final_answer>, as 6*7 is.<confidence>1</confidence>",
     "The answer is 42, as 6*7 is."),
    ("<confidence>0.9</confidence>\n\nIt is <final_answer>42</final_answer>.", "It is 42."),
    ("<confidence>0.9</confidence> It is so.", "It is so."),
    ("Between.\n<confidence>0.9</confidence>\nAfter.", "Between.\nAfter."),
    (f"It depends.\n<final_answer>{LONG}</final_answer>", f"It depends.\n{LONG.strip()}"),
    (f"<final_answer>{LONG}</final_answer>\n<confidence>0.9</confidence>", LONG.strip()),
    ("Essay.\n<final_answer>N/A</final_answer>\n<confidence>0.9</confidence>", "Essay."),
    ("<final_answer>N/A</final_answer>", "N/A"),
    ("So.\n<final_answer>42\n<confidence>0.9</confidence>", "So.\n42"),
    ("So: 42\n<confidence>0.9", "So: 42"),
    ("So <confidence>0.9\nand so on", ""),
    ("So.\n42\n<final_answer>42</final_answer>", "So.\n42"),
    ("The capital is **Tokyo**.\n<final_answer>Tokyo</final_answer>", "The capital is **Tokyo**."),
    ("6 * 7 = 42\n<final_answer>42</final_answer>", "6 * 7 = 42"),
    ("It is not safe.\n<final_answer>safe</final_answer>", "It is not safe.\nsafe"),
    ("It isn't so that it is safe.\n<final_answer>safe</final_answer>",
     "It isn't so that it is safe.\nsafe"),
    ("Nobody knows 42.\n<final_answer>42</final_answer>", "Nobody knows 42.\n42"),
    # code
    ("Use\n```python\nre.sub('<think>.*</think>', '', text)\n```", ""),
    ("```python\nre.sub('<think>.*</think>', '', text)\n```\n<confidence>0.9</confidence>",
     "```python\nre.sub('<think>.*</think>', '', text)\n```"),
    ("Wait for `</think>`, then print.\n\nNo more.", ""),
    ("`<final_answer>x</final_answer>` holds it. <confidence>0.9</confidence>",
     "`<final_answer>x</final_answer>` holds it."),
    ("````\n```\n<confidence>1</confidence>\n```\n````\nis quoted.", ""),
    ("1. Run\n   ```\n   <confidence>1</confidence>\n   ```\n2. Done.", ""),
    ("> ```\n> <confidence>1</confidence>\n> ```\nDone.", ""),
    ("Code: ``<confidence>`1`</confidence>`` ends.", ""),
    ("```html\n<reasoning>x</reasoning>\n```\nis a tag.", ""),
    ("Line: t = re.sub(r'<confidence>.*?</confidence>', '', t)", ""),
    ("So:\n\n    return '<final_answer>x</final_answer>'\n\nDone.", ""),
    # about thinking
    ("Models write <think> first, then </think> and the answer.", ""),
    ("It begins with <think>.\n\nThen comes\n</think>\nand more.", ""),
    ("<think>hm</think>Models write <think>x</think> too.", "Models write <think>x</think> too."),
    ("```\n<think>\nx\n</think>\n```\nis the form.", ""),
    # around it all
    ("```markdown\n# Title\n\nText.\n```", "# Title\n\nText."),
    ("```\nIt is 42.\n```", "It is 42."),
    ("<think>41?</think>\nIt is 42.", "It is 42."),
    ("Maybe 41.\n[/THINK]\nIt is 42.", "It is 42."),
    ("It is 42.<|im_end|>", "It is 42."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "prose"), KEPT)
def test_what_a_person_reads_is_the_reply_without_thinking_and_tags(text: str, prose: str) -> None:
    assert read_reply(text).prose == (prose or text)


def test_a_long_tag_is_no_short_answer_but_stays_to_be_read() -> None:
    found = read_reply(f"<final_answer>{'word ' * 70}</final_answer>")
    assert found.final_answer is None
    assert found.prose == ("word " * 70).strip()


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Sure.\n<confidence>0.9</confidence>", 0.9),
        ("<confidence>0.1</confidence> <confidence>0.8</confidence>", 0.8),
        ("Sure.\n<confidence>0.9", 0.9),
        ("Sure.\n**Confidence:** 90%", 0.9),
        ("Sure.\nConfidence: high\n", 0.875),
        ("Confidence: 0.9\nis what I would write.", None),
        ("`<confidence>0.9</confidence>` is the form.", None),
        ("<think><confidence>0.9</confidence></think>So.", None),
        ("I am 90% sure.", None),
    ],
)
def test_a_stated_confidence_is_read_outside_code_and_thinking(
    text: str, stated: float | None
) -> None:
    assert read_reply(text).stated_confidence == stated


PIECES = st.sampled_from(
    ["<think>", "</think>", "<final_answer>", "</final_answer>", "<confidence>", "</confidence>",
     "```", "```md\n", "`", "~~~", "\n", "\n\n", "42", "0.9", '{"answer": "', '"}', "\\boxed{", "}",
     "Answer: ", "<|channel|>", "[THINK]", "◁/think▷", "> ", "- ", "</", "\x00", "\ud800", "ß", "İ"]
)  # fmt: skip
SOUP = st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=40).map("".join)


@given(SOUP)
def test_any_soup_can_be_read_and_nothing_is_invented(text: str) -> None:
    found = read_reply(text)
    assert found.stated_confidence is None or 0 <= found.stated_confidence <= 1
    for number in re.findall(r"[0-9]+", found.final_answer or ""):
        assert number in "".join(text.split())


@given(SOUP)
def test_nothing_is_ever_removed_from_code(text: str) -> None:
    markup = markup_of(without_thinking(text))
    found = read_reply(text)
    for code in markup.code:
        inner = markup.text[code.inner_start : code.inner_end].strip()
        if code.closed and found.shown == markup.text:
            assert inner in found.prose
