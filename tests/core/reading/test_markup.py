from __future__ import annotations

import pytest

from consortium_mcp.core.reading.markup import HIDDEN, ending_tags, markup_of, without_thinking
from consortium_mcp.core.reading.replies import read_reply
from tests.support.growth import is_linear


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no code", []),
        ("a `b` c", ["`b`"]),
        ("a ``b ` c`` d", ["``b ` c``"]),
        ("a `b\n\nc` d", []),
        ("a `b\nc` d", ["`b\nc`"]),
        ("```py\nx\n```", ["```py\nx\n```"]),
        ("```\nx\n```` \nmore", ["```\nx\n````"]),
        ("````\n```\nx\n```\n````", ["````\n```\nx\n```\n````"]),
        ("B says: ```xml\nx\n```", ["```xml\nx\n```"]),
        ("```x``` is inline", ["```x```"]),
        ("~~~\n```\n~~~", ["~~~\n```\n~~~"]),
        ("- ```\n  x\n  ```\n- y", ["```\n  x\n  ```"]),
        ("> ```\n> x\n> ```", ["```\n> x\n> ```"]),
        ("```md\n# t\n```sh\nls\n```\n```", ["```md\n# t\n```sh\nls\n```\n```"]),
        ("```sh\nls\n```py\nx\n```", ["```sh\nls\n```py\nx\n```"]),
        ("```\nx</a>\n```</synthesis>", ["```\nx</a>\n```"]),
        ("```\nnever closed", ["```\nnever closed"]),
        ("```\n", ["```\n"]),
    ],
)
def test_code_is_found_in_the_forms_that_models_write(text: str, code: list[str]) -> None:
    markup = markup_of(text)
    assert [text[part.start : part.end] for part in markup.code] == code
    assert len(markup.bare) == len(text)
    assert markup.bare.count("\n") == text.count("\n")
    assert (HIDDEN in markup.bare) is bool(code)


def test_a_block_that_is_never_closed_ends_before_the_answer() -> None:
    tags = "<final_answer>42</final_answer>\n<confidence>0.9</confidence>"
    assert markup_of(f"```\nx\n\nSo:\n{tags}").bare.endswith(f"\n\nSo:\n{tags}")
    assert markup_of(f"```\nx\n{tags}").bare.endswith(f"x\n{tags}") is False
    assert markup_of(f"```\nx\n{tags}").bare.endswith(tags)


def test_the_tags_that_end_a_reply_are_found() -> None:
    assert "So.<confidence>1</confidence>\n"[ending_tags("So.<confidence>1</confidence>\n") :] == (
        "<confidence>1</confidence>\n"
    )
    assert ending_tags("no tags") == len("no tags")


@pytest.mark.parametrize(
    "filling",
    ["`", "``` ", "```\n",
     "~~~\n", "`x ", "` `` ", "> ", "- ", "<think>", "</think>\n", "`</think>",
     "<final_answer>", "<confidence>1</confidence>", "\n", " ", "<",
     "```md\n", "[THINK]", "{",
     "(A)", '"answer": "', "\\boxed{", "Answer: x\n"],
)  # fmt: skip
def test_replies_are_read_in_linear_time(filling: str) -> None:
    def read(size: int) -> None:
        text = filling * (size // len(filling))
        read_reply.__wrapped__(f"<think>{text}")
        read_reply.__wrapped__(f"It is so.\n{text}")
        without_thinking(text)

    assert is_linear(read, 300_000)
