from __future__ import annotations

from consortium_mcp.core.reading.prose import prose


def test_prose_is_what_a_person_reads() -> None:
    reply = (
        "<think>x</think>It is Tokyo.\n<final_answer>Tokyo</final_answer><confidence>1</confidence>"
    )
    assert prose(reply) == "It is Tokyo."
    assert prose("<final_answer>Tokyo</final_answer>") == "Tokyo"
    assert prose("") == ""
