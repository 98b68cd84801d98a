"""Reads and checks a JSON Schema, and checks values against it.

Draft 2020-12 and draft 7. The validator is jsonschema-rs: it checks `pattern` in linear time, so a
hostile one cannot hang the server, never fetches anything, and is compiled (5 objects of 5,000
leaves take 0.1 s). jsonschema, which the MCP SDK brings, uses Python's `re`, which may take for
ever, and needs seconds for the same. `format` is a hint and not checked, as the draft says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.structured.keywords import (
    MOST_NESTING,
    MOST_WORK,
    Node,
    References,
    Work,
    nesting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import jsonschema_rs

    from consortium_mcp.core.structured.values import Path

MOST_BYTES = 256_000
"""The largest schema, as JSON; what a model is sent of it costs tokens with each call."""
_REGEX_BYTES = 1_000_000
"""The largest compiled pattern."""
DRAFTS = ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema")


class Breach(NamedTuple):
    """A part of a value that breaks the schema."""

    path: Path
    keyword: str
    """The keyword that it breaks, such as `type`."""
    message: str


class Schema:
    """A checked JSON Schema of an object. `read_schema` makes it."""

    def __init__(self, source: Node, references: References, work: Work) -> None:
        self.source = source
        self.references = references
        self._work = work
        self._validator = _validator(source)

    def breaches(self, value: object) -> list[Breach]:
        """What in a value breaks the schema; empty where it is valid.

        Where none of several alternatives holds, the breaches are those of the alternative that
        has the fewest.
        """
        levels = nesting(value)
        if levels > MOST_NESTING or self._work.of(levels) > MOST_WORK:
            message = f"It has {levels} levels of objects and lists, too many for this schema."
            return [Breach((), "nesting", message)]
        return sorted(_breaches(self._validator.iter_errors(value)), key=_by_path)


def read_schema(source: object) -> Schema:
    """Read and check a JSON Schema.

    Args:
        source: the schema, as JSON values.

    Raises:
        ConfigError: it is no JSON Schema of an object, is too large or nested too deeply, refers to
            something outside, or has a pattern that cannot be checked in linear time; the message
            names the remedy.
    """
    if not isinstance(source, dict):
        raise ConfigError('A schema is a JSON object, such as {"type": "object", …}.')
    if nesting(source) > MOST_NESTING:
        raise ConfigError(f"The schema is nested more than {MOST_NESTING} levels: use $defs.")
    try:
        size = len(json.dumps(source, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise ConfigError(f"The schema is not JSON: {error}.") from error
    if size > MOST_BYTES:
        raise ConfigError(
            f"The schema has {size:,} bytes, and {MOST_BYTES:,} are allowed: leave out what the "
            "answer does not need, and put what repeats under $defs."
        )
    draft = str(source.get("$schema", DRAFTS[0])).removesuffix("#")
    if draft not in DRAFTS:
        raise ConfigError(
            f"The schema is of {draft[:200]!r}. Drafts 2020-12 and 7 can be used: "
            f"{', '.join(DRAFTS)}."
        )
    kinds = source.get("type", "object")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        raise ConfigError(
            f"The schema describes {kinds!r}, and an answer is an object: wrap it, as in "
            '{"type": "object", "properties": {"items": …}, "required": ["items"]}.'
        )
    references = References(source)
    work = Work(source, references)
    if work.of(1) > MOST_WORK:
        raise ConfigError("The schema has too many alternatives that lead to one another.")
    return Schema(source, references, work)


def _validator(source: Node) -> jsonschema_rs.Validator:
    import jsonschema_rs  # noqa: PLC0415 (0.2 s, and only with a schema)

    bare = {key: value for key, value in source.items() if key != "$id"}
    is_draft_7 = "draft-07" in str(source.get("$schema", ""))
    made = jsonschema_rs.Draft7Validator if is_draft_7 else jsonschema_rs.Draft202012Validator
    try:
        return made(
            bare,
            validate_formats=False,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=_REGEX_BYTES),
        )
    except jsonschema_rs.ValidationError as error:
        place = "/".join(map(str, error.instance_path)) or "the schema"
        raise ConfigError(
            f"This is no valid JSON Schema, at {place}: {error.message[:300]}."
        ) from error


def _breaches(errors: Iterable[jsonschema_rs.ValidationError]) -> Iterator[Breach]:
    for error in errors:
        path = tuple(error.instance_path)
        kind: Any = error.kind
        if kind.name in {"anyOf", "oneOf"} and getattr(kind, "context", None):
            yield from _of_best(path, [list(_breaches(branch)) for branch in kind.context])
        elif kind.name in {"additionalProperties", "unevaluatedProperties"}:
            for name in kind.unexpected:
                yield Breach((*path, name), kind.name, f"{name!r} is no property of the schema")
        else:
            yield Breach(path, kind.name, error.message[:300])


def _of_best(path: Path, branches: list[list[Breach]]) -> list[Breach]:
    """The breaches of the alternative that a value comes nearest to.

    One that breaks it as a whole, such as by its type, is farther than any that breaks it in parts.
    """
    return min(branches, key=lambda found: (any(b.path == path for b in found), len(found)))


def _by_path(breach: Breach) -> tuple[list[str], str, str]:
    return [str(step) for step in breach.path], breach.keyword, breach.message
