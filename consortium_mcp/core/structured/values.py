"""JSON values: what is not there, how two are told apart, and where one stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


class Nothing(Enum):
    """What stands for a value that is none."""

    ABSENT = "absent"
    """The member's object has nothing here, which is a vote."""
    NO_VOTE = "no vote"
    """What the member gave here breaks the schema or was cut off, which is no vote."""
    MORE = "more"
    """The last element of a list whose end was cut off."""


ABSENT: Literal[Nothing.ABSENT] = Nothing.ABSENT
NO_VOTE: Literal[Nothing.NO_VOTE] = Nothing.NO_VOTE
MORE: Literal[Nothing.MORE] = Nothing.MORE

Kind = Literal["object", "list", "plain"]


def kind_of(value: object) -> Kind:
    """Whether a JSON value is an object, a list, or plain: a text, number, truth value or null."""
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else "plain"


def canonical(value: Any) -> str:  # noqa: ANN401 (a JSON value)
    """A text that is the same for the same JSON value, whatever the order of its keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_mark)


def _mark(value: object) -> object:
    return {"": str(value)}


def pointer(path: Path) -> str:
    """The path as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def leaves(value: object, path: Path = ()) -> list[tuple[Path, object]]:
    """The parts of a value that have no parts, with their paths; an empty object or list is one."""
    found: list[tuple[Path, object]] = []
    stack: list[tuple[Path, object]] = [(path, value)]
    while stack:
        place, each = stack.pop()
        if isinstance(each, Mapping) and each:
            stack += [((*place, key), part) for key, part in reversed([*each.items()])]
        elif isinstance(each, list) and each:
            stack += [((*place, i), part) for i, part in reversed([*enumerate(each)])]
        else:
            found.append((place, each))
    return found


def at(value: object, path: Path) -> object:
    """The part of a value at a path, or `ABSENT`."""
    for step in path:
        held: Any = value
        in_object = isinstance(held, dict) and step in held
        in_list = isinstance(held, list) and isinstance(step, int) and step < len(held)
        if not in_object and not in_list:
            return ABSENT
        value = held[step]
    return value
