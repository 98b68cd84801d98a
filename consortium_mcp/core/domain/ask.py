"""The seam between the engine and the world.

Behind `Ask` stand real calls, the journal (a recorded exchange is not called again), the tests'
fakes, and the replay of recorded answers. A strategy that is handed an `Ask` cannot forget to log,
to time out or to count.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import Field

from consortium_mcp.core.domain.values import Value


class Ask(Protocol):
    """Puts one question to one model."""

    async def __call__(self, question: Question, /) -> Reply:
        """Call the model once.

        Raises:
            MemberError: the call failed, timed out or came back empty.
        """
        ...


Role = Literal["member", "arbiter"]


class Question(Value):
    """What is put to one model, once. The engine knows nothing else of the world."""

    role: Role
    label: str
    """The member's label, or `arbiter`."""
    model: str
    prompt: str
    system: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    json_schema: dict[str, Any] | None = None
    """The form wanted; a model without schema support answers in tags, as the prompt says."""
    iteration: int
    attempt: int = 1
    """1, or 2 for the repair of an unreadable verdict."""
    timeout: float
    """Seconds."""


class Reply(Value):
    """What came back of a `Question` that did not fail."""

    text: str
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    """Tokens of all tries."""
    tries: int = 1
    """Calls it took, the failed ones before it included."""
    warnings: tuple[str, ...] = ()
    """What is odd about it: cut short, answered only at a second try, and the like."""
    nested_run_id: str | None = None
    """The run that it is the synthesis of, where a consortium was asked."""
