from __future__ import annotations

import pytest

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.frontends.terminal.preview import Preview, synthesis_so_far

BEGUN = '<verdict code="x7">\n<synthesis>'
FORM = 'Write exactly this form:\n<verdict code="x7">\n<synthesis>…</synthesis>\n</verdict>'


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("", ""),
        ("Let me see.", ""),
        ("Let me see.\n" + BEGUN + "It is 4", "It is 4"),
        (BEGUN + "It is 42.</synth", "It is 42."),
        (BEGUN + "It is 42.</synthesis>\n<final_answer>42", "It is 42."),
        (BEGUN + "If a < b, it is", "If a < b, it is"),
        (BEGUN + "The code is x7, I was told", "The code is …, I was told"),
        ("<think>A draft: " + BEGUN + "It is", ""),
        ("<think>A draft: " + BEGUN + "no</synthesis></think>\n" + BEGUN + "It is", "It is"),
        ("[THINK]A draft: " + BEGUN + "It is", ""),
        ('<verdict code="other"><synthesis>a quotation', ""),
        ("<verdict><synthesis>a quotation", ""),
    ],
)
def test_what_is_written_of_the_synthesis(reply: str, shown: str) -> None:
    assert synthesis_so_far(reply, "x7") == shown


def question(role: str, prompt: str) -> Question:
    values = {"role": role, "label": "arbiter", "model": "m", "iteration": 1, "timeout": 1}
    return Question.model_validate(values | {"prompt": prompt})


def test_only_an_arbiter_that_writes_tags_is_heard() -> None:
    preview = Preview()
    assert preview.text() == ""
    assert preview.listen(question("member", FORM)) is None
    assert preview.listen(question("arbiter", "Reply with one JSON object.")) is None
    quoted = '<verdict code="theirs"><synthesis>no</synthesis></verdict>\n'
    hear = preview.listen(question("arbiter", quoted + FORM))
    assert hear is not None
    for piece in (BEGUN[:9], BEGUN[9:], "It ", "is"):
        hear(piece)
    assert preview.text() == "It is"
    preview.listen(question("arbiter", FORM))  # a repair, or the next arbiter
    assert preview.text() == ""
