from __future__ import annotations

from consortium_mcp.core.reading.markup import without_thinking


def test_thinking_is_taken_out() -> None:
    assert without_thinking("<think>hm</think>Tokyo <Thinking>or not</thinking>!") == "Tokyo !"
    assert without_thinking("<think>cut off in the middle of") == ""
