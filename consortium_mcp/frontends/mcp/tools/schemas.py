"""Shorten tool schemas before they are sent, keeping all that a client validates.

The list of tools is in the context of every conversation. Pydantic's schemas contain much that no
model needs: titles, `null` for optional fields, the contents of nested objects.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_DROPPED = ("title", "default", "additionalProperties")


def compact_input(schema: Schema) -> Schema:
    """The schema of a tool's arguments; an optional one is not `required`, so `null` is dropped."""
    definitions = schema.get("$defs", {})
    fields = {
        name: _argument(field, definitions) for name, field in schema.get("properties", {}).items()
    }
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": fields} | required


def _argument(field: Schema, definitions: Schema) -> Schema:
    more = {name: value for name, value in field.items() if name not in {*_DROPPED, "anyOf"}}
    arms = [_resolve(arm, definitions) for arm in field.get("anyOf", [])]
    arms = [arm for arm in arms if arm.get("type") != "null"]
    if "type" in more and arms:  # `ConsortiumSettings` says what to tell of it
        return more
    if len(arms) == 1:
        return _argument(arms[0], definitions) | more
    if arms:
        return {"anyOf": [_arm(arm, definitions) for arm in arms]} | more
    if "items" in more:
        more["items"] = _argument(more["items"], definitions)
    if more.get("type") == "object" and "properties" not in more:
        # Strict converters refuse an object that may hold anything.
        more["properties"] = {"temperature": {"type": "number"}}
    return more


def _arm(arm: Schema, definitions: Schema) -> Schema:
    """One of several forms: a text, or a member as an object."""
    if "properties" not in arm:
        return {"type": arm["type"]}
    fields = {name: _argument(each, definitions) for name, each in arm["properties"].items()}
    if "model" in fields:
        fields["count"] = {"type": "integer"}  # read before pydantic sees the object
    required = {"required": arm["required"]} if "required" in arm else {}
    return {"type": "object", "properties": fields} | required


def compact_output(schema: Schema) -> Schema:
    """The name and type of each field of a tool's result; docs/tools.md describes the rest."""
    definitions = schema.get("$defs", {})
    fields = {
        name: {"type": _types(field, definitions)} for name, field in schema["properties"].items()
    }
    return {"type": "object", "properties": fields, "required": schema["required"][:2]}


def _types(field: Schema, definitions: Schema) -> str | list[str]:
    arms = [_resolve(arm, definitions) for arm in field.get("anyOf", [field])]
    types = [str(arm["type"]) for arm in arms]
    return types[0] if len(types) == 1 else types


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    found: Schema = schema if reference is None else definitions[reference.rpartition("/")[2]]
    return found


def one_paragraph_each(description: str) -> str:
    """A docstring without its line breaks and indentation: one line per paragraph."""
    paragraphs = description.split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
