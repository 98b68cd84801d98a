"""What an agent program is to us: how to start it so that it only answers, and how to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SignIn = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Call:
    """One question for a program."""

    prompt: str
    folder: Path
    """An empty folder of the call's own, for files that the program reads."""
    system: str | None = None
    schema: Mapping[str, Any] | None = None
    model: str | None = None
    """One of the program's own models; `None` for the one that its user has set."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class Answer:
    """What a program answered."""

    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    is_cut: bool = False
    """It reached a limit of its length."""


class SignedIn(Protocol):
    """A program in which its user is signed in."""

    @property
    def name(self) -> str:
        """How messages call it; the end of its models' id."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """The beginnings of the names of the environment's variables that are its own."""
        ...

    @property
    def how_to_sign_in(self) -> str:
        """What its user does, as an imperative."""
        ...


class Program(Protocol):
    """One agent program."""

    name: str
    """The command, and the end of `agent/NAME`."""
    variables: tuple[str, ...]
    """See `SignedIn`, like `how_to_sign_in`."""
    how_to_sign_in: str
    maker: str
    tested: str
    """The version that was tried; an older one may not know all flags."""
    models: tuple[str, ...]
    """Its own names for models, offered as `agent/NAME/MODEL`."""
    keys: tuple[str, ...]
    """Variables whose API key goes before the subscription."""
    status_command: tuple[str, ...]
    """Asks at no cost whether its user is signed in; empty where there is no such way."""
    knows_schemas: bool

    def command(self, call: Call) -> list[str]:
        """The arguments behind the program's name. Writes files that they name into the folder."""
        ...

    def environment(self, call: Call, home: Path) -> dict[str, str]:
        """Variables that it gets besides."""
        ...

    def read(self, ended: Ended) -> Answer:
        """What it answered.

        Raises:
            MemberError: it failed; the message is the program's own.
        """
        ...

    def read_status(self, ended: Ended) -> SignIn:
        """Whether its user is signed in, by what the status command said."""
        ...


_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_UNKNOWN_FLAG = re.compile(
    r"unknown (?:option|argument|feature flag)s?\b|unexpected argument"
    r"|unrecognized (?:option|argument)|invalid value .* for '--",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\blimit (?:reached|will reset)|hit your (?:\w+ )?limit|usage limit|rate.?limit|quota"
    r"|too many requests|\b429\b",
    re.IGNORECASE,
)
_NO_SIGN_IN = re.compile(
    r"not logged in|/login|log in again|invalid api key|api key not valid|invalid auth|authenticat"
    r"|unauthori[sz]ed|\b401\b|sign in|auth method",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"issue with the selected model|model .*(?:not (?:found|exist|supported)|does not exist)"
    r"|unknown model|\b404\b",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(r"credit balance|payment required|\b402\b|out of credit", re.IGNORECASE)
_TRANSIENT = re.compile(
    r"\b5\d\d\b|overloaded|high demand|server-side|unavailable|connection|timed? ?out|network"
    r"|stream disconnected",
    re.IGNORECASE,
)
_SHOWN = 400
"""The most characters that are shown of a program's message."""


def failure(program: SignedIn, message: str, status: int | None = None) -> MemberError:
    """The error for a message of the program.

    Args:
        program: whose message it is.
        message: as it wrote it; escape codes are taken out.
        status: the HTTP status of its provider, where it tells.
    """
    said = plain(message) or "it gave no reason"
    words = said if status is None else f"{status} {said}"
    told = f"{program.name}: {said[:_SHOWN]}"
    if _UNKNOWN_FLAG.search(said):
        return MemberError(told, kind="version", permanent=True)
    if _NO_CREDIT.search(words):
        return MemberError(told, kind="http", permanent=True)
    if _LIMIT.search(words):
        lasts = _OF_SUBSCRIPTION.search(said) is not None
        return MemberError(told, kind="rate_limit", permanent=lasts, passing=not lasts)
    if _NO_SIGN_IN.search(words):
        return MemberError(f"{told} ({program.how_to_sign_in})", kind="key", permanent=True)
    if _NO_MODEL.search(words):
        return MemberError(told, kind="unknown_model", permanent=True)
    return MemberError(told, kind="agent", passing=_TRANSIENT.search(words) is not None)


_OF_SUBSCRIPTION = re.compile(
    r"reset|usage limit|daily|weekly|limit reached|your (?:\w+ )?limit", re.IGNORECASE
)
"""A limit that lasts for hours; the message names its end."""


def plain(text: str) -> str:
    """The text in one line, without a terminal's escape codes."""
    return " ".join(_ESCAPES.sub("", text).split())
