"""Where schemas stand in a schema, and the bounds that make one safe to use.

A schema comes from outside. It is walked by its keywords, so that a property named `$ref` or an
example that looks like a schema is neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = dict[str, Any]
"""A schema that is an object. The other schemas are `true` and `false`."""

SAME_VALUE = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"}
)
"""Keywords whose schemas are about the value itself."""
PART_OF_VALUE = frozenset(
    {
        "properties", "patternProperties", "additionalProperties", "unevaluatedProperties",
        "propertyNames", "items", "prefixItems", "additionalItems", "unevaluatedItems", "contains",
    }
)  # fmt: skip
"""Keywords whose schemas are about a part of the value."""
_DEFINITIONS = frozenset({"$defs", "definitions"})
_NAMED = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "dependencies", *_DEFINITIONS}
)
"""Keywords that hold schemas by a name."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")

MOST_NESTING = 100
"""Levels of a schema, and of an object."""


def under(node: Node, keywords: frozenset[str]) -> Iterator[Node]:
    """The schemas that stand under these keywords; `true` and `false` are left out."""
    for keyword in sorted(keywords & node.keys()):
        held = node[keyword]
        if isinstance(held, dict):
            held = list(held.values()) if keyword in _NAMED else [held]
        if isinstance(held, list):
            yield from (each for each in held if isinstance(each, dict))


def nodes(schema: Node) -> Iterator[Node]:
    """The schema and all schemas in it, outermost first."""
    stack = [schema]
    while stack:
        node = stack.pop()
        yield node
        stack += under(node, SAME_VALUE | PART_OF_VALUE | _DEFINITIONS)


def nesting(value: object, most: int = MOST_NESTING) -> int:
    """The levels of objects and lists in a JSON value; it stops counting above `most`."""
    levels, level = 0, [value]
    while level and levels <= most:
        deeper: list[object] = []
        for each in level:
            if isinstance(each, dict):
                deeper += each.values()
            elif isinstance(each, list):
                deeper += each
        levels += any(isinstance(each, dict | list) for each in level)
        level = deeper
    return levels


class References:
    """The schemas that the references of one schema stand for; all of them are in it.

    Raises:
        ConfigError: a reference leads out of the schema, or nowhere. Nothing is ever fetched.
    """

    def __init__(self, schema: Node) -> None:
        self._schema = schema
        self._anchors: dict[str, Node] = {}
        for node in nodes(schema):
            names = [node.get("$anchor"), node.get("$dynamicAnchor")]
            if node is not schema and "$id" in node:
                if not str(node["$id"]).startswith("#"):
                    raise ConfigError(
                        f"The schema holds another one with the $id {node['$id']!r}, which changes "
                        "what references mean: leave the $id out."
                    )
                names.append(str(node["$id"])[1:])
            self._anchors |= {name: node for name in names if isinstance(name, str)}
        for node in nodes(schema):
            self.of(node)

    def of(self, node: Node) -> list[Node]:
        """The schemas that a schema refers to."""
        named = [node[keyword] for keyword in _REFERENCES if keyword in node]
        found = [self._found(reference) for reference in named]
        return [each for each in found if isinstance(each, dict)]

    def _found(self, reference: object) -> object:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise ConfigError(
                f"The schema refers to {str(reference)[:200]!r}, which is outside of it. Nothing "
                "is fetched: put that schema under $defs and refer to it as #/$defs/NAME."
            )
        if reference[1:] in self._anchors:
            return self._anchors[reference[1:]]
        found: object = self._schema
        for step in reference.split("/")[1:] if reference != "#" else ():
            found = _member(found, step.replace("~1", "/").replace("~0", "~").replace("%25", "%"))
        if (reference != "#" and not reference.startswith("#/")) or not isinstance(
            found, dict | bool
        ):
            raise ConfigError(f"The schema refers to {reference[:200]!r}, and there is no such.")
        return found

    def same_value(self, node: Node) -> list[Node]:
        """The schemas that must or may hold for the same value, one step away."""
        return [*under(node, SAME_VALUE), *self.of(node)]


def _member(held: object, step: str) -> object:
    if isinstance(held, dict):
        return held.get(step)
    if isinstance(held, list) and step.isdecimal() and int(step) < len(held):
        return held[int(step)]
    return None


class Work:
    """How often a schema is tried at most while one leaf of a nested object is checked.

    Alternatives that lead to one another multiply: forty pairs in a row are a million million
    tries. The count is what a validator without memory needs.
    """

    def __init__(self, schema: Node, references: References) -> None:
        self._schema = schema
        self._references = references
        self._levels: list[dict[int, int]] = []

    def of(self, levels: int) -> int:
        """The tries for a value with so many levels; it stops counting above `MOST_WORK`.

        Raises:
            ConfigError: the schema refers to itself for the same value, so no check would end.
        """
        while len(self._levels) <= levels:
            below = self._levels[-1] if self._levels else {}
            self._levels.append({})
            for node in nodes(self._schema):
                self._count(node, below, ())
        return self._levels[levels][id(self._schema)]

    def _count(self, node: Node, below: dict[int, int], outer: tuple[int, ...]) -> int:
        known = self._levels[-1]
        if id(node) not in known:
            if id(node) in outer or len(outer) > MOST_NESTING:
                raise ConfigError(
                    "The schema refers to itself without going into a part of the value, or through"
                    f" more than {MOST_NESTING} references."
                )
            inner = (*outer, id(node))
            tries = 1 + max(
                (below.get(id(each), 0) for each in under(node, PART_OF_VALUE)), default=0
            )
            tries += sum(self._count(e, below, inner) for e in self._references.same_value(node))
            known[id(node)] = min(tries, MOST_WORK + 1)
        return known[id(node)]


MOST_WORK = 20_000
"""Tries of schemas for one leaf."""
