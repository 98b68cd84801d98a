"""A server's entry in a client's settings: whose it is, and what of it is ours to change."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    Entry = dict[str, Any]
    Keys = tuple[str, ...]
    """The keys that lead to a value in an entry."""

PACKAGE = "consortium-mcp"
_REQUIREMENT = re.compile(rf"(?:.*[/\\])?{PACKAGE}(?:\[[\w,\s.-]*\])?(?:\s*[@=<>~!].*)?", re.DOTALL)
"""As it is given to uvx: the name or a path, with extras and a version or an address."""
_RUNNERS = frozenset({"uvx", "uv", "pipx"})
_WRAPPERS = frozenset({"env", "cmd", "wsl", "nice", "nohup"})
"""Programs that start the one that is named after them."""
OUR_SETTINGS = ("LLM_USER_PATH", "CONSORTIUM_")
"""Prefixes of our environment variables: they hold paths and settings, never keys."""
HIDDEN = "…"
"""Shown in place of a value that nobody should see."""
SECRETS = ("env", "headers", "http_headers")
"""Fields of an entry whose values nobody but the client should see."""


def is_ours(entry: object) -> TypeGuard[Entry]:
    """Whether the entry starts this program, from wherever, whatever else its user has put there.

    It does as `consortium-mcp`, as `python -m consortium_mcp`, or through uvx, uv or pipx.
    """
    if not isinstance(entry, dict):
        return False
    words = [entry.get("command"), *(entry.get("args") or [])]
    if not all(isinstance(word, str) for word in words):
        return False
    while words and _may_be_skipped(words[0]):
        del words[0]
    if not words:
        return False
    program, args = _program(words[0]), words[1:]
    if program == PACKAGE or ("-m", "consortium_mcp") in pairwise(args):
        return True
    return program in _RUNNERS and any(_REQUIREMENT.fullmatch(word) for word in args)


def _may_be_skipped(word: str) -> bool:
    return _program(word) in _WRAPPERS or "=" in word or word.startswith("-") or word == "/c"


def _program(command: str) -> str:
    """The name of a program, whichever system its path is of."""
    return PureWindowsPath(command).name.lower().removesuffix(".exe").removesuffix(".cmd")


def missing(there: Entry, ours: Entry) -> Iterator[tuple[Keys, object]]:
    """What must be set in an entry of ours so that it starts this copy: where, and to what.

    All else stays as it is, each variable that is set there included.
    """
    for field, value in ours.items():
        if field != "env" and there.get(field) != value:
            yield (field,), value
    env = there.get("env")
    if not isinstance(env, dict):
        if ours.get("env"):
            yield ("env",), ours["env"]
        return
    for name, value in ours.get("env", {}).items():
        if name not in env:
            yield ("env", name), value


class Apart(NamedTuple):
    """Variables in which an entry that is there and ours are apart, by name."""

    other: list[str]
    """They have another value there."""
    lacked: list[str]
    """They are not set there."""


def settings_apart(there: Entry, ours: Entry) -> Apart:
    """Where the variables of an entry that is there are not those of ours."""
    env = there.get("env")
    set_there = env if isinstance(env, dict) else {}
    wanted = ours.get("env", {})
    return Apart(
        [name for name in wanted if name in set_there and set_there[name] != wanted[name]],
        [name for name in wanted if name not in set_there],
    )


def told(entry: object) -> str:
    """What the entry starts, in words that hold none of its keys: no argument, variable or query.

    An address is told by its host alone.
    """
    if isinstance(entry, dict):
        if isinstance(command := entry.get("command"), str):
            return f"which starts {command}"
        if isinstance(url := entry.get("url"), str) and (host := urlsplit(url).hostname):
            return f"which is at {host}"
    return "which starts nothing that we know"


def secrets_of(servers: object) -> Iterator[str]:
    """The values that no output may show: those of `SECRETS`, except our own settings."""
    for entry in servers.values() if isinstance(servers, dict) else ():
        for field in SECRETS:
            values = entry.get(field) if isinstance(entry, dict) else None
            for name, value in values.items() if isinstance(values, dict) else ():
                if isinstance(value, str) and value and not name.startswith(OUR_SETTINGS):
                    yield value
