from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.confidence import least_certain, of_field
from consortium_mcp.core.structured.fields import Agreed
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, leaves, pointer

ANYTHING: dict[str, Any] = {"type": "object"}


def agreed(
    *objects: object, schema: dict[str, Any] = ANYTHING, weights: tuple[float, ...] = ()
) -> Agreed:
    """The agreement of members A, B, …; it must be the same in every order of theirs."""
    checked = read_schema(schema)
    ballots = []
    for at, each in enumerate(objects):
        text = each if isinstance(each, str) else json.dumps(each)
        votes = read_object(text, checked).votes
        if votes is not None:
            ballots.append(Ballot("ABCDEFG"[at], votes, (weights or (1.0,) * 7)[at]))
    found = agree(ballots, checked)
    for order in list(permutations(ballots))[:24]:
        assert agree(order, checked) == found
    return found


def of_a(*values: object, schema: object = True, weights: tuple[float, ...] = ()) -> object:
    """What is agreed of one property."""
    whole = {"type": "object", "properties": {"a": schema}}
    data = agreed(*({"a": value} for value in values), schema=whole, weights=weights).data
    return (data or {}).get("a", ABSENT)


@pytest.mark.parametrize(
    ("values", "value"),
    [
        # plain values
        ([True, False, True], True),
        ([1, 2, 2.0], 2),
        ([3, "3", 3], 3),
        (["red", "blue", "Blue"], "Blue"),
        (["2021-03-04", "2021-3-4", "5 March 2021", "6 March 2021"], "2021-03-04"),
        (["1,000", "1000", "999"], "1,000"),
        (["Acme Inc.", "Acme Inc", "Apex"], "Acme Inc"),
        # the spelling of most of those that say the same
        (
            ["$40 late payment fee", "$40 Late payment fee", "$40", "$40 fee", "$40 due"],
            "$40 Late payment fee",
        ),
        ([None, None, "x"], None),
        ([None, "x", "x"], "x"),
        (["", "", "x"], ""),
        ([True, 1, 1], 1),
        ([0, False, False], False),
        # equal votes: the text that the others bear out
        (["the red house", "the red house by the lake", "a blue barn"], "the red house"),
        # lists
        ([["a", "b"], ["a", "b", "c"], ["a", "c"]], ["a", "b", "c"]),
        ([["a", "b"], ["b", "a"], ["a", "b"]], ["a", "b"]),
        ([["a", "a", "b"], ["a", "a"], ["a", "b"]], ["a", "a", "b"]),
        ([[1, 2, 3], [1, 5, 3], [1, 2, 3]], [1, 2, 3]),
        ([[], [], ["a"]], []),
        ([[], ["a"], ["a"]], ["a"]),
        ([["a"], ["b"], ["c"]], ["a"]),
        ([[[1, 2], [3]], [[1, 2], [4]], [[1, 2], [3]]], [[1, 2], [3]]),
        # kinds
        ([[1], {"x": 1}, {"x": 1}], {"x": 1}),
        ([{}, {}, {"x": 1}], {}),
        ([{"x": {}}, {"x": {}}, {"x": {"y": 1}}], {"x": {}}),
        ([None, {"x": 1}, {"x": 1}], {"x": 1}),
    ],
)
def test_each_kind_of_field(values: list[object], value: object) -> None:
    found = of_a(*values)
    assert found == value
    assert json.dumps(found) == json.dumps(value)  # True is not 1


def test_symbols_are_compared_by_their_characters() -> None:
    assert of_a("A-1", "A1", "A1", schema={"pattern": "^A"}) == "A1"
    assert of_a("half", "0.5", "0.5", schema={"enum": ["half", "0.5"]}) == "0.5"
    found = agreed(
        {"a": "half"}, {"a": "0.5"}, schema={"properties": {"a": {"enum": ["half", "0.5"]}}}
    )
    assert found.fields[0].agreement == 0.5


ROWS = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
                "required": ["name", "n"],
            },
        }
    },
    "required": ["rows"],
}


def rows(**counts: int) -> dict[str, Any]:
    return {"rows": [{"name": name, "n": n} for name, n in counts.items()]}


def test_lists_of_objects_are_aligned_whatever_their_order_and_length() -> None:
    found = agreed(
        rows(apples=1, pears=2, plums=3),
        rows(pears=2, apples=1, plums=3),
        rows(apples=1, plums=4, cherries=9),
        schema=ROWS,
    )
    assert found.data == rows(apples=1, pears=2, plums=3)
    by_path = {pointer(field.path): field for field in found.fields}
    assert by_path["/rows/0/n"].agreement == 1
    assert by_path["/rows/1/n"].agreement == pytest.approx(2 / 3)
    assert [(v.value, v.labels) for v in by_path["/rows/1/n"].votes] == [
        (2, ("A", "B")), (ABSENT, ("C",)),
    ]  # fmt: skip
    assert [(v.value, v.labels) for v in by_path["/rows/2/n"].votes] == [
        (3, ("A", "B")), (4, ("C",)),
    ]  # fmt: skip
    (left,) = found.left_out
    assert (left.path, left.value, left.labels) == (("rows",), {"name": "cherries", "n": 9}, ("C",))


def test_what_the_first_list_lacks_is_put_where_the_others_have_it() -> None:
    lists = [["a", "c", "d", "e"], ["a", "b", "c", "d"], ["a", "b", "c", "d", "e"]]
    assert of_a(*lists, ["a", "b", "d", "e"]) == ["a", "b", "c", "d", "e"]


def test_elements_in_wholly_different_words_are_one_in_the_same_gap() -> None:
    lists = (
        ["start", "kidney", "end"],
        ["start", "renal organ", "end"],
        ["start", "kidney", "end"],
    )
    found = agreed(*({"a": each} for each in lists))
    assert found.data == {"a": ["start", "kidney", "end"]}
    assert [vote.value for vote in found.fields[1].votes] == ["kidney", "renal organ"]
    as_set = agreed(
        *({"a": each} for each in lists), schema={"properties": {"a": {"uniqueItems": True}}}
    )
    assert [left.value for left in as_set.left_out] == ["renal organ"]


def test_coordinates_are_compared_by_their_index() -> None:
    pair = {"minItems": 2, "maxItems": 2}
    assert of_a([1, 2], [2, 1], [1, 2], schema=pair) == [1, 2]
    assert of_a([1, 2], [5, 2], [1, 7], schema=pair) == [1, 2]


def test_a_list_keeps_to_the_schemas_bounds() -> None:
    assert of_a(["a", "b"], ["a"], ["a"], schema={"minItems": 2}) == ["a", "b"]
    two = agreed(
        {"a": ["x", "y"]}, {"a": ["y", "x"]}, schema={"properties": {"a": {"maxItems": 2}}}
    )
    assert not two.breaches


def test_properties_are_there_by_vote_and_required_ones_if_anybody_has_them() -> None:
    schema = {"required": ["must"], "properties": {"must": {"type": "string"}}}
    found = agreed({"must": "x"}, {"may": 1}, {"may": 1, "rare": 2}, schema=schema)
    assert found.data == {"must": "x", "may": 1}
    rare = next(field for field in found.fields if field.path == ("rare",))
    assert (rare.there, rare.required) == (False, False)
    assert rare.agreement == pytest.approx(2 / 3)
    must = next(field for field in found.fields if field.path == ("must",))
    assert (must.agreement, len(must.votes)) == (1.0, 1)  # to lack it breaks the schema: no vote
    assert agreed({"a": 1}, {}).data == {"a": 1}  # half have it


def test_a_value_that_breaks_the_schema_is_no_vote_and_the_rest_counts() -> None:
    schema = {
        "properties": {
            "n": {"type": "integer"},
            "t": {"type": "string"},
            "l": {"items": {"type": "integer"}},
        },
        "additionalProperties": False,
    }
    found = agreed(
        {"n": "many", "t": "x", "l": [1, "two", 3]},
        {"n": "many", "t": "y", "l": [1, 3]},
        {"n": 4, "t": "x", "l": [1, 3], "more": 1},
        schema=schema,
    )
    assert found.data == {"n": 4, "t": "x", "l": [1, 3]}
    n = next(field for field in found.fields if field.path == ("n",))
    assert (n.agreement, n.votes[0].labels) == (1.0, ("C",))
    assert not found.breaches


def test_what_was_cut_off_is_no_vote() -> None:
    whole = rows(apples=1, pears=2, plums=3)
    cut = json.dumps(whole)[:46]
    found = agreed(whole, cut, cut, schema=ROWS)
    assert found.data == whole
    assert {field.agreement for field in found.fields} == {1.0}
    assert read_object(cut, read_schema(ROWS)).cut_off


def test_weights_count() -> None:
    assert of_a("x", "y", "y", weights=(3.0, 1.0, 1.0)) == "x"
    found = agreed({"a": "x"}, {"a": "y"}, {"a": "y"}, weights=(3.0, 1.0, 1.0))
    assert found.fields[0].agreement == pytest.approx(0.6)


def test_equal_votes_go_with_the_members_that_agree_with_the_others_elsewhere() -> None:
    rest = {"b": 1, "c": 2, "d": 3}
    found = agreed({"a": 9, "b": 7, "c": 8, "d": 0}, {"a": 5, **rest}, rest | {"a": 6, "d": 4})
    assert (found.data or {})["a"] == 5


def test_references_alternatives_and_recursion() -> None:
    schema = {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/node"}},
        "$defs": {
            "node": {
                "oneOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "properties": {
                            "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}
                        },
                        "required": ["kids"],
                        "additionalProperties": False,
                    },
                ]
            }
        },
    }
    tree: Any = "leaf"
    for _ in range(8):
        tree = {"kids": [tree, "other"]}
    found = agreed({"tree": tree}, {"tree": tree}, {"tree": "leaf"}, schema=schema)
    assert found.data == {"tree": tree}
    assert not found.breaches


def test_data_that_breaks_the_schema_is_named() -> None:
    schema = {"dependentRequired": {"a": ["b"]}, "properties": {"c": {"type": "integer"}}}
    found = agreed({"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 1}, schema=schema)
    assert not found.breaches
    found = agreed({"a": 1, "c": 1}, {"a": 1, "c": 1}, schema=schema)
    assert [breach.keyword for breach in found.breaches] == ["required"]


def test_nobody_and_one_member() -> None:
    assert agreed() == Agreed(None, (), (), (), 0.0)
    assert agreed({}).data == {}
    found = agreed({"a": [1, {"b": None}]})
    assert found.data == {"a": [1, {"b": None}]}
    assert {field.settled_by for field in found.fields} == {"only"}
    assert agreed("nothing", {"a": 1}).fields[0].settled_by == "only"


def test_confidence_rises_with_agreement_and_with_members() -> None:
    assert of_field(1, 3) < of_field(1, 5) < of_field(1, 7) < 1
    assert of_field(0.2, 5) < of_field(0.6, 5) < of_field(0.8, 5) < of_field(1, 5)
    found = agreed({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1})
    assert found.confidence == pytest.approx((of_field(1, 3) + of_field(2 / 3, 3)) / 2)
    least = least_certain(agreed({"a": 1}, {"a": 2}, schema={"required": ["a"]}).fields)
    assert least is not None
    assert least.path == ("a",)
    assert least_certain(found.fields) is None


def test_long_texts_are_prose_unless_the_schema_says_otherwise() -> None:
    text = "A sentence that says a great deal about what was found and why it matters to us here."
    schema = {"properties": {"s": {"maxLength": 90}}}
    found = agreed({"p": text, "s": text, "t": "x"}, schema=schema)
    assert [field.path[0] for field in found.fields if field.prose] == ["p"]


def test_pointers_are_escaped() -> None:
    assert pointer(("a/b", 0, "m~n")) == "/a~1b/0/m~0n"
    assert [path for path, _ in leaves({"a": [], "b": [{}, 1]})] == [("a",), ("b", 0), ("b", 1)]


def test_long_lists_are_aligned_by_what_few_elements_share() -> None:
    def row(at: int, unit: str) -> dict[str, object]:
        return {"id": f"item {at} of the stock", "unit": unit, "n": at % 7, "none": None}

    rows_in_order = [row(at, "kg") for at in range(80)]
    others = [row(at, "g") for at in range(79, 4, -1)]
    found = agreed({"a": rows_in_order}, {"a": others}, {"a": rows_in_order[3:]})
    assert found.data == {"a": rows_in_order[3:]} or found.data == {"a": rows_in_order}
    units = [field for field in found.fields if field.path[-1] == "unit"]
    assert sum(field.agreement == pytest.approx(2 / 3) for field in units) >= 75
    assert all(len(field.votes) > 1 for field in units)
