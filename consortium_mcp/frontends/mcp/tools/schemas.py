"""Tools' schemas as they are sent: all that a client validates, in few bytes.

The list of tools stands in the context of every conversation, all day. What pydantic derives says
much that no model needs: titles, `null` for what may be left out, the insides of nested objects.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_SAYS_LITTLE = ("title", "default", "additionalProperties")


def compact_input(schema: Schema) -> Schema:
    """A tool's arguments: what is optional is not `required`, and need not allow `null` as well."""
    definitions = schema.get("$defs", {})
    fields = {
        name: _argument(field, definitions) for name, field in schema.get("properties", {}).items()
    }
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": fields} | required


def _argument(field: Schema, definitions: Schema) -> Schema:
    more = {name: value for name, value in field.items() if name not in {*_SAYS_LITTLE, "anyOf"}}
    arms = [_resolved(arm, definitions) for arm in field.get("anyOf", [])]
    arms = [arm for arm in arms if arm.get("type") != "null"]
    if len(arms) == 1:
        return _argument(arms[0], definitions) | more
    if arms:  # a string, or an object whose description says what it holds
        return {"anyOf": [{"type": arm["type"]} for arm in arms]} | more
    if "items" in more:
        more["items"] = _argument(more["items"], definitions)
    return more


def compact_output(schema: Schema) -> Schema:
    """A tool's result: the name and type of each field; docs/tools.md has the insides."""
    definitions = schema.get("$defs", {})
    fields = {
        name: {"type": _types(field, definitions)} for name, field in schema["properties"].items()
    }
    return {"type": "object", "properties": fields, "required": schema["required"][:2]}


def _types(field: Schema, definitions: Schema) -> str | list[str]:
    arms = [_resolved(arm, definitions) for arm in field.get("anyOf", [field])]
    types = [str(arm["type"]) for arm in arms]
    return types[0] if len(types) == 1 else types


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    found: Schema = schema if reference is None else definitions[reference.rpartition("/")[2]]
    return found


def one_paragraph_each(description: str) -> str:
    """A docstring as a text: the breaks and indentation of its lines are the source's own."""
    paragraphs = description.split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
