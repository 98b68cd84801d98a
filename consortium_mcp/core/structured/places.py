"""What a schema says about one place in an object."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from consortium_mcp.core.structured.keywords import Node
    from consortium_mcp.core.structured.schema import Schema


class Place:
    """All that the schema may say about the values at one place, alternatives included."""

    def __init__(self, schema: Schema, given: tuple[Node, ...] | None = None) -> None:
        self._schema = schema
        self._given = (schema.source,) if given is None else given
        self._parts: dict[str | int, Place] = {}

    @cached_property
    def _nodes(self) -> list[Node]:
        """The schemas for this place: with what they refer to, and their alternatives."""
        found: dict[int, Node] = {}
        stack = list(reversed(self._given))
        while stack:
            node = stack.pop()
            if id(node) not in found:
                found[id(node)] = node
                stack += [n for key in ("allOf", "anyOf", "oneOf") for n in _schemas(node.get(key))]
                stack += _schemas([node.get(key) for key in ("then", "else")])
                stack += self._schema.references.of(node)
        return list(found.values())

    def property(self, name: str) -> Place:
        """The place of a property."""
        if name not in self._parts:
            self._parts[name] = self._part(
                [n for each in self._nodes for n in _property(each, name)]
            )
        return self._parts[name]

    def element(self, index: int) -> Place:
        """The place of a list's element."""
        fixed = max((len(_fixed(each)) for each in self._nodes), default=0)
        index = min(index, fixed)  # those after the fixed ones are all alike
        if index not in self._parts:
            self._parts[index] = self._part(
                [n for each in self._nodes for n in _element(each, index)]
            )
        return self._parts[index]

    def _part(self, found: list[Any]) -> Place:
        return Place(self._schema, tuple(each for each in found if isinstance(each, dict)))

    @cached_property
    def _sure(self) -> list[Node]:
        """The schemas that hold for every value here: without alternatives."""
        sure = [*self._given]
        for node in sure:
            more = [*_schemas(node.get("allOf")), *self._schema.references.of(node)]
            sure += [each for each in more if not any(each is known for known in sure)]
        return sure

    @cached_property
    def required(self) -> frozenset[str]:
        """The properties that an object must have."""
        return frozenset(name for node in self._sure for name in node.get("required", ()))

    def rank(self, name: str) -> tuple[int, str]:
        """For sorting properties: as the schema lists them, and the others by name after them."""
        return self._ranks.get(name, len(self._ranks)), name

    @cached_property
    def names(self) -> Collection[str]:
        """The properties that the schema names."""
        return self._ranks

    @cached_property
    def _ranks(self) -> dict[str, int]:
        names = dict.fromkeys(name for n in self._nodes for name in n.get("properties", {}))
        return {name: rank for rank, name in enumerate(names)}

    @cached_property
    def fixed_length(self) -> bool:
        """Whether lists here have a fixed length, so that an element is known by its index."""
        return any(
            _fixed(node) or node.get("minItems", 0) == node.get("maxItems", -1) > 1
            for node in self._nodes
        )

    @cached_property
    def unique(self) -> bool:
        """Whether lists here are sets."""
        return any(node.get("uniqueItems") is True for node in self._nodes)

    @cached_property
    def most_elements(self) -> int | None:
        """The most elements that a list may have."""
        return min((n["maxItems"] for n in self._sure if "maxItems" in n), default=None)

    @cached_property
    def least_elements(self) -> int:
        """The fewest elements that a list must have."""
        return max((n.get("minItems", 0) for n in self._sure), default=0)

    @cached_property
    def exact(self) -> bool:
        """Whether a text here is a symbol, compared by its characters and never by its words."""
        return any(
            node.keys() & {"enum", "const", "pattern"} or node.get("format") in _SYMBOLS
            for node in self._nodes
        )

    @cached_property
    def short(self) -> bool:
        """Whether the schema itself says that a text here is short."""
        return self.exact or any(
            node.get("maxLength", _SHORT + 1) <= _SHORT or "format" in node for node in self._nodes
        )


_SHORT = 100
"""Characters; a text that may not be longer is no prose."""
_SYMBOLS = frozenset({"uuid", "uri", "email", "hostname", "ipv4", "ipv6", "regex", "iri"})


def _schemas(held: object) -> list[Node]:
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _property(node: Node, name: str) -> list[object]:
    found = [node["properties"][name]] if name in node.get("properties", {}) else []
    found += [
        each for pattern, each in node.get("patternProperties", {}).items() if _is(pattern, name)
    ]
    return found or [node.get("additionalProperties")]


_PLAIN = re.compile(r"\^?[\w\s-]*\$?")


def _is(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern that cannot run for long; others give no hint."""
    return _PLAIN.fullmatch(pattern) is not None and re.search(pattern, name) is not None


def _fixed(node: Node) -> list[object]:
    """The schemas of a list's first elements, one each."""
    items = node.get("prefixItems", node.get("items"))
    return items if isinstance(items, list) else []


def _element(node: Node, index: int) -> list[object]:
    fixed = _fixed(node)
    if index < len(fixed):
        return [fixed[index]]
    return [node.get("additionalItems" if isinstance(node.get("items"), list) else "items")]
