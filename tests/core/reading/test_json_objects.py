from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.reading.json_objects import json_object

FENCE = "```"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('  {"a": "line\nbreak"} and so on', {"a": "line\nbreak"}),
        (f'Here it is:\n{FENCE}json\n{{"a": [1, 2]}}\n{FENCE}\nDone.', {"a": [1, 2]}),
        (
            f'{FENCE}json\n{{"old": 1}}\n{FENCE}\nBetter:\n{FENCE}\n{{"new": 1}}\n{FENCE}',
            {"new": 1},
        ),
        ('<think>{"a": 0}</think>{"a": 1}', {"a": 1}),
        ('The answer is {"a": 1}.', {"a": 1}),
        ("{'a': 'x', 'b': True,}", {"a": "x", "b": True}),
        ('{"a": 1 // one\n}', {"a": 1}),
        ('{"a": "\\ud800x"}', {"a": "?x"}),
    ],
)
def test_the_object_of_a_reply_is_found(text: str, value: object) -> None:
    found = json_object(text)
    assert found is not None
    assert found.value == value
    assert found.open_at is None


@pytest.mark.parametrize(
    "text", ["", "no object", "[1, 2]", '"{"', "{" * 5_000, '{"a":' * 5_000, "{" + "x" * 300_000]
)
def test_what_is_no_object_is_none(text: str) -> None:
    found = json_object(text)
    assert found is None or found.value == {}


def test_numbers_that_are_none_are_not_read_as_such() -> None:
    found = json_object('{"a": NaN, "b": 1}')
    assert found is None or found.value["a"] in {"NaN", None}


@pytest.mark.parametrize(
    ("text", "value", "open_at"),
    [
        ('{"a": 1, "b": [{"c": "x"}, {"c": "y', {"a": 1, "b": [{"c": "x"}, {}]}, ("b", 1)),
        ('{"a": 1, "b": 12', {"a": 1}, ()),
        ('{"a": 1, "b": "twel', {"a": 1}, ()),
        ('{"a": 1, "b', {"a": 1}, ()),
        ('{"a": ["x", "y"], "b": ["z", ', {"a": ["x", "y"], "b": ["z"]}, ("b",)),
        (f'{FENCE}json\n{{"a": [1, 2', {"a": [1]}, ("a",)),
        ('{"a": {"b": true', {"a": {}}, ("a",)),
    ],
)
def test_a_reply_that_is_cut_off_keeps_what_is_complete(
    text: str, value: object, open_at: tuple[object, ...]
) -> None:
    found = json_object(text)
    assert found is not None
    assert (found.value, found.open_at) == (value, open_at)


def test_an_object_before_a_block_of_something_else_is_found() -> None:
    found = json_object(f'So {{"a": 1}}, as in:\n{FENCE}python\nprint(1)\n{FENCE}')
    assert found is not None
    assert found.value == {"a": 1}


def test_brackets_that_do_not_match_are_repaired_and_not_cut() -> None:
    found = json_object('{"a": [1, 2}, "b": 3}')
    assert found is not None
    assert found.open_at is None


@given(st.text(alphabet='{}[]",:\\ a1tn-.', max_size=60))
def test_nothing_raises(text: str) -> None:
    found = json_object("{" + text)
    if found is not None:
        json.dumps(found.value, allow_nan=False)
