"""JSON Schemas as people give them: as JSON, in llm's short form, saved in llm, or as a class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import llm
import llm.utils
from pydantic import BaseModel

from consortium_mcp.adapters.fragments import llms_log
from consortium_mcp.core.domain.errors import ConfigError


def schema_of(given: Any, *, multi: bool = False) -> dict[str, Any]:  # noqa: ANN401 (what users give)
    """The JSON Schema.

    Args:
        given: a schema, a pydantic model, or a text: JSON, llm's short form (`name, age int`), or
            what `llm --schema` takes besides (the id of a saved schema, a path, `t:TEMPLATE`).
        multi: whether the answer is a list of such objects, under the name `items`.

    Raises:
        ConfigError: it is none of these.
    """
    found = _found(given)
    return dict(llm.utils.multi_schema(found)) if multi else found


def _found(given: Any) -> dict[str, Any]:  # noqa: ANN401 (what users give)
    if isinstance(given, dict):
        return given
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.model_json_schema()
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(
            f"A schema is {given!r}; give a JSON Schema, a pydantic model, or llm's short form, "
            f"such as {_SHORT_FORM}."
        )
    try:
        found = _resolved(given.strip())
    except Exception as error:  # llm's loaders raise what JSON, SQLite and click do
        raise ConfigError(
            f"The schema {given[:100]!r} cannot be read: {error}. Give JSON, a path, the id of a "
            f"schema saved in llm, or llm's short form, such as {_SHORT_FORM}."
        ) from error
    if not isinstance(found, dict):
        raise ConfigError(f"The schema {given[:100]!r} is no JSON object.")
    return found


_SHORT_FORM = '"name, age int"'
_LONGEST_PATH = 500


def _resolved(text: str) -> Any:  # noqa: ANN401 (JSON)
    if text.startswith(("{", "[")):
        return json.loads(text)
    if len(text) <= _LONGEST_PATH and (path := Path(text)).is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    if " " in text or "," in text:  # no id
        return llm.schema_dsl(text)
    from llm import cli  # noqa: PLC0415 (it takes a second to load)

    untyped: Any = cli
    with llms_log() as db:
        return untyped.resolve_schema_input(db, text, untyped.load_template)
