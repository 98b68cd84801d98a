from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.structured.places import Place
from consortium_mcp.core.structured.schema import DRAFTS, read_schema

TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node"}},
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name"],
        }
    },
}


def in_object(schema: object, **more: object) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}, **more}


CHAIN = {f"s{i}": {"anyOf": [{"$ref": f"#/$defs/s{i + 1}"}] * 2} for i in range(40)}
LADDER = {f"s{i}": {"$ref": f"#/$defs/s{i + 1}"} for i in range(300)}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ([], "is a JSON object"),
        ({"type": "array"}, "wrap it"),
        ({"type": ["string", "null"]}, "wrap it"),
        (in_object({"$ref": "https://example.org/s.json"}), "outside of it"),
        (in_object({"$ref": "file:///etc/passwd"}), "outside of it"),
        (in_object({"$ref": "other.json#/a"}), "outside of it"),
        (in_object({"$ref": 5}), "outside of it"),
        (in_object({"allOf": [{"items": {"$dynamicRef": "http://x/#y"}}]}), "outside of it"),
        (in_object({"$ref": "#/$defs/none"}), "there is no such"),
        (in_object({"$ref": "#none"}), "there is no such"),
        (in_object({"$ref": "#/properties/a/enum/9", "enum": [1]}), "there is no such"),
        (in_object({"$id": "http://x/", "type": "string"}), "leave the $id out"),
        ({"$ref": "#"}, "refers to itself"),
        (in_object({"$ref": "#/$defs/x"}, **{"$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}]}}}),
         "refers to itself"),
        (in_object({"$ref": "#/$defs/s0"}, **{"$defs": CHAIN | {"s40": {}}}), "too many altern"),
        (in_object({"$ref": "#/$defs/s0"}, **{"$defs": LADDER | {"s300": {}}}), "references"),
        (in_object({"description": "x" * 10_000_000}), "bytes, and 256,000 are allowed"),
        (in_object({"default": float("nan")}), "not JSON"),
        (in_object({"default": {1, 2}}), "not JSON"),
        (in_object({}, **{"$schema": "http://json-schema.org/draft-04/schema#"}), "Drafts 2020-12"),
        (in_object({"type": "text"}), "properties/a/type"),
        (in_object({"pattern": "("}), "properties/a/pattern"),
        (in_object({"pattern": "(?=a)a"}), "properties/a/pattern"),
        (in_object({"pattern": "(a{1000}){1000}"}), "properties/a/pattern"),
        ({"required": 5}, "required"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_refused_with_the_remedy(schema: object, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_schema(schema)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 700


def test_a_schema_nested_for_ever_is_refused() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(5_000):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(ConfigError, match="nested"):
        read_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        in_object({"type": "string"}, **{"$schema": f"{DRAFTS[1]}#", "$id": "https://x/y"}),
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "integer"}}},
        in_object({"const": {"$ref": "http://is/data"}}, examples=[{"$ref": "http://is/data"}]),
        in_object({"$ref": "#here"}, **{"$defs": {"x": {"$anchor": "here", "type": "string"}}}),
        {"type": "object", "properties": {"a": True, "b": False}, "definitions": {"c": {}}},
        in_object({"$ref": "#/definitions/x~1y"}, definitions={"x/y": {"type": "string"}}),
        in_object({"$ref": "#/properties/b/anyOf/0"}) | {},
        {"$schema": DRAFTS[1], "definitions": {"x": {"$id": "#x"}},
         "dependencies": {"a": ["b"], "c": {"minProperties": 1}}},
        TREE,
    ],
)  # fmt: skip
def test_schemas_that_stay_within_themselves_are_read(schema: dict[str, Any]) -> None:
    if "#/properties/b" in str(schema):
        schema["properties"]["b"] = {"anyOf": [{"type": "string"}]}
    assert read_schema(schema).source == schema


def test_an_exploding_pattern_is_checked_in_no_time() -> None:
    schema = read_schema(in_object({"type": "string", "pattern": "^(a+)+$"}))
    assert [b.path for b in schema.breaches({"a": "a" * 50_000 + "!"})] == [("a",)]
    assert not schema.breaches({"a": "a" * 50_000})


def test_a_breach_names_its_part_and_the_nearest_alternative_counts() -> None:
    alternatives = {
        "oneOf": [
            {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
            {"type": "string"},
        ]
    }
    schema = read_schema(
        {
            "properties": {"a": alternatives, "n": {"type": ["integer", "null"]}},
            "required": ["n"],
            "additionalProperties": False,
        }
    )
    found = schema.breaches({"a": {"x": "1"}, "more": 1})
    assert [(b.path, b.keyword) for b in found] == [
        ((), "required"), (("a", "x"), "type"), (("more",), "additionalProperties"),
    ]  # fmt: skip
    assert not schema.breaches({"a": "text", "n": None})


def test_recursive_schemas_check_nested_values() -> None:
    schema = read_schema(TREE)
    value: dict[str, Any] = {"name": 5}
    for _ in range(5):
        value = {"name": "x", "kids": [value]}
    (breach,) = schema.breaches({"root": value})
    assert breach.path == ("root", *("kids", 0) * 5, "name")


def test_a_value_too_deep_for_the_schemas_alternatives_is_refused_at_once() -> None:
    node = {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/n"}}, "required": [str(i)]}
                      for i in range(3)]}  # fmt: skip
    schema = read_schema({"type": "object", "$defs": {"n": node}, "$ref": "#/$defs/n"})
    value: dict[str, Any] = {}
    for _ in range(60):
        value = {"a": value}
    assert [b.keyword for b in schema.breaches(value)] == ["nesting"]
    for _ in range(5_000):
        value = {"a": value}
    assert [b.keyword for b in read_schema({}).breaches(value)] == ["nesting"]


def test_a_place_knows_what_the_schema_may_say_about_it() -> None:
    schema = read_schema(
        {
            "$ref": "#/$defs/top",
            "$defs": {
                "top": {
                    "properties": {
                        "pair": {"prefixItems": [{"enum": ["a"]}], "items": {"format": "date"}},
                        "old": {"type": "array", "minItems": 2, "maxItems": 2},
                        "tags": {"uniqueItems": True, "items": {"maxLength": 5}, "maxItems": 9},
                        "id": {"format": "uuid"},
                        "note": {"type": "string"},
                    },
                    "patternProperties": {"^x_": {"const": 1}, "(a|b)*": {"minItems": 3}},
                    "allOf": [{"required": ["id"]}, {"required": ["pair"], "if": {}, "then": {}}],
                    "anyOf": [{"required": ["note"]}, {"properties": {"late": {}}}],
                }
            },
        }
    )
    top = Place(schema)
    assert top.required == {"id", "pair"}
    assert sorted(["zzz", "late", "note", "pair"], key=top.rank) == ["pair", "note", "late", "zzz"]
    pair = top.property("pair")
    assert pair.fixed_length
    assert (pair.element(0).exact, pair.element(1).exact) == (True, False)
    assert pair.element(1) is pair.element(7)
    assert top.property("old").fixed_length
    tags = top.property("tags")
    assert (tags.unique, tags.most_elements, tags.least_elements) == (True, 9, 0)
    assert tags.element(0).short
    assert top.property("id").exact
    assert not top.property("note").short
    assert top.property("x_1").exact
    assert top.property("x_1").least_elements == 0


def test_a_place_of_a_schema_that_refers_to_itself_is_found_once() -> None:
    node = {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/n"}}}, {"$ref": "#/$defs/m"}]}
    both = {"n": node, "m": {"type": "object"}}
    place = Place(read_schema({"$defs": both, "allOf": [{"$ref": "#/$defs/n"}] * 2}))
    assert list(place.names) == ["a"]
    assert place.property("a").property("a").required == frozenset()


def test_elements_of_draft_7_after_the_fixed_ones() -> None:
    pair = {"items": [{"const": 1}], "additionalItems": {"maxLength": 3}}
    place = Place(read_schema({"$schema": DRAFTS[1], "properties": {"p": pair}})).property("p")
    assert place.element(0).exact
    assert place.element(3).short
