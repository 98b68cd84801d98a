from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.reading.verdicts import FIELDS, json_schema, parse_verdict
from tests.support.fakes import verdict

LABELS = ("A", "B", "C")


def as_json(**fields: object) -> str:
    values: dict[str, object] = {
        "synthesis": "It is 42.",
        "final_answer": "42",
        "support": ["A", "B"],
        "groups": [["A", "B"], ["C"]],
        "dissent": ["C: says 41"],
        "refinements": ["check the sum"],
        "needs_iteration": True,
        "confidence": 0.9,
        "ranking": ["A", "B", "C"],
    }
    return json.dumps(values | fields)


def test_tags_and_json_read_the_same() -> None:
    tagged = verdict(
        groups="A, B; C",
        dissent="C: says 41",
        refinements="- check the sum",
        needs_iteration="yes",
        confidence="90%",
        ranking="A > B > C",
    )
    assert parse_verdict(tagged, LABELS) == parse_verdict(as_json(), LABELS)


def test_every_field_is_read() -> None:
    found = parse_verdict(as_json(), LABELS)
    assert found.synthesis == "It is 42."
    assert found.final_answer == "42"
    assert found.support == ("A", "B")
    assert found.groups == (("A", "B"), ("C",))
    assert found.dissent == ((("C",), "says 41"),)
    assert found.refinements == ("check the sum",)
    assert found.needs_iteration is True
    assert found.confidence == 0.9
    assert found.ranking == ("A", "B", "C")


@pytest.mark.parametrize("support", ["Answers A and C", "a, c", "A; C.", "A & C", "[A] [C]"])
def test_labels_are_read_from_how_models_write_them(support: str) -> None:
    assert parse_verdict(verdict(support=support), LABELS).support == ("A", "C")


@pytest.mark.parametrize("nothing", ["", "none", "None.", "-", "n/a"])
def test_support_may_be_none(nothing: str) -> None:
    assert parse_verdict(verdict(support=nothing), LABELS).support == ()


@pytest.mark.parametrize("confidence", ["", "banana", "7", "-1"])
def test_a_nonsensical_confidence_is_none(confidence: str) -> None:
    assert parse_verdict(verdict(confidence=confidence), LABELS).confidence is None


@pytest.mark.parametrize("value", [True, None, [0.9], {"a": 1}, 1e400])
def test_a_json_confidence_of_another_type_is_none(value: object) -> None:
    assert parse_verdict(as_json(confidence=value), LABELS).confidence is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no complete <verdict>"),
        ("I think A is right.", "no complete <verdict>"),
        ("<verdict><synthesis>x</synthesis>", "no complete <verdict>"),
        (f"```\n{verdict()}\n```", "no complete <verdict>"),
        (f"<think>{verdict()}</think>", "no complete <verdict>"),
        ("[1, 2]", "no complete <verdict>"),
        ('{"a":' * 100_000, "no complete <verdict>"),
        (verdict(synthesis=" "), "synthesis is missing"),
        (verdict(support="A, Z"), "support names Z"),
        (verdict(ranking="A, Q"), "ranking names Q"),
        (verdict(groups="A, B; B"), "B stands in more than one group"),
        (verdict(groups="A; X"), "groups names X"),
        (as_json(synthesis=7), "synthesis is missing"),
        (as_json(support=["A", "Z"]), "support names Z"),
        (as_json(groups=[["A"], ["A"]]), "A stands in more than one group"),
        ("<verdict><synthesis>x</synthesis></verdict>", "support is missing"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(VerdictError, match=complaint):
        parse_verdict(text, LABELS)


def test_the_last_complete_verdict_counts() -> None:
    text = verdict(support="A") + "\nOn reflection:\n" + verdict(support="B") + "<verdict>"
    assert parse_verdict(text, LABELS).support == ("B",)


def test_a_verdict_in_one_json_block_is_read() -> None:
    assert parse_verdict(f"```json\n{as_json()}\n```", LABELS).support == ("A", "B")
    wrapped = json.dumps({"verdict": json.loads(as_json())})
    assert parse_verdict(wrapped, LABELS).support == ("A", "B")


def test_a_field_quoted_inside_the_synthesis_stays_text() -> None:
    quoted = "B wrote <confidence>1.0</confidence> and <support>B</support>, which is wrong."
    found = parse_verdict(verdict(synthesis=quoted, support="A", confidence="0.3"), LABELS)
    assert found.synthesis == quoted
    assert found.support == ("A",)
    assert found.confidence == 0.3


def test_code_in_the_synthesis_is_kept() -> None:
    code = "Use:\n```python\nprint(1)\n```"
    assert parse_verdict(verdict(synthesis=code), LABELS).synthesis == code


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "<verdict><dissent>lost <synthesis>It is 42.</synthesis></verdict>",
            "<dissent> is not closed",
        ),
        (verdict(dissent="B: <confidence>1</confidence></dissent>"), "between the fields"),
        (verdict().replace("<ranking>", "<support>C</support><ranking>"), "stands twice"),
        (verdict(synthesis="B: <verdict>"), "inside a verdict"),
        (verdict() + "</verdict>", "too many"),
    ],
)
def test_what_is_ambiguous_is_asked_for_again(text: str, complaint: str) -> None:
    with pytest.raises(VerdictError, match=complaint):
        parse_verdict(text, LABELS)


def test_words_between_the_fields_do_no_harm() -> None:
    text = verdict().replace("<support>", "And now the support:\n<support>")
    assert parse_verdict(text, LABELS).support == ("A", "B")


def test_dissent_is_attributed_only_to_known_labels() -> None:
    said = "B, C: say 41\nIn short: nothing\nD: unknown\n* Overall fine"
    found = parse_verdict(verdict(dissent=said), LABELS).dissent
    assert found == (
        (("B", "C"), "say 41"),
        ((), "In short: nothing"),
        ((), "D: unknown"),
        ((), "Overall fine"),
    )


def test_the_schema_demands_every_field_and_only_known_labels() -> None:
    schema = json_schema(LABELS)
    assert schema["required"] == list(FIELDS)
    assert schema["properties"]["support"]["items"]["enum"] == ["A", "B", "C"]
    assert schema["additionalProperties"] is False


_FRAGMENTS = st.sampled_from(
    [f"<{f}>" for f in (*FIELDS, "verdict", "think")]
    + [f"</{f}>" for f in (*FIELDS, "verdict", "think")]
    + ["A", "B", "C, A", "1.0", "```\n", "{", "}", '"', "\n", "none", "\x00", "\ud800", "İ"]
)


@given(st.lists(st.one_of(_FRAGMENTS, st.text(max_size=5)), max_size=60).map("".join))
def test_any_soup_of_tags_is_a_verdict_or_a_verdict_error(text: str) -> None:
    try:
        found = parse_verdict(text, LABELS)
    except VerdictError:
        return
    assert found.synthesis
    assert set(found.support) <= set(LABELS)
    assert found.confidence is None or 0 <= found.confidence <= 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(FIELDS), _JSON))
def test_any_json_is_a_verdict_or_a_verdict_error(fields: dict[str, object]) -> None:
    try:
        found = parse_verdict(json.dumps(fields), LABELS)
    except VerdictError:
        return
    assert set(found.ranking) <= set(LABELS)
    assert found.confidence is None or 0 <= found.confidence <= 1


def test_five_megabytes_of_tags_take_no_time_to_speak_of() -> None:
    for piece in (
        "<support>A;",
        "</synthesis>",
        "<verdict>",
        "A;",
        "<think>",
        "<think></think>",
        "<" + " " * 50,
    ):
        text = f"<verdict>{piece * (5_000_000 // len(piece))}</verdict>"
        with pytest.raises(VerdictError):
            parse_verdict(text, LABELS)
