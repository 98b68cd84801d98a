"""`Ask`, the only way from the engine to the outside world; `CallPrice` says what that costs.

Its implementations make real calls, journal them (a recorded exchange is not called again), fake
them in tests, and replay recorded answers. A strategy that calls models through an `Ask` cannot
forget to log, time out or count.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import ConfigDict, Field, SkipValidation

from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.domain.tool_use import PlainSteps, Steps
from consortium_mcp.core.domain.values import Spending, Value


class Ask(Protocol):
    """Asks one model one question."""

    async def __call__(self, question: Question, /) -> Reply:
        """Call the model once.

        Raises:
            MemberError: the call failed, timed out or came back empty.
        """
        ...


class CallPrice(Protocol):
    """Knows what calls cost."""

    def __call__(self, model: str, input_tokens: int, output_tokens: int, /) -> float | None:
        """US dollars for one call of this model; `None` where its price is not known."""
        ...


Role = Literal["member", "arbiter", "reviewer"]
"""A `reviewer` ranks or checks answers that others gave, before there is a verdict."""


class Question(Value):
    """One call to one model. This is all the engine sends to the outside world."""

    model_config = ConfigDict(arbitrary_types_allowed=True)  # for `steps`

    role: Role
    label: str
    """The member's label, or `arbiter`; of a check, whose answer as well: `B on A`."""
    model: str
    prompt: str
    system: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    json_schema: dict[str, Any] | None = None
    """The form of the answer; models without schema support answer in tags, as the prompt says."""
    iteration: int
    attempt: int = 1
    """1, or 2 for the repair of an unreadable verdict."""
    timeout: float
    """Seconds."""
    worth_caching: int | None = None
    """So many characters at the prompt's beginning come again in later calls; `None` where a mark
    for a provider's cache would not pay."""
    attachments: tuple[Attachment, ...] = ()
    """The files that this model gets as such."""
    tools: tuple[str, ...] = ()
    """What the model may use on the way, by llm's names."""
    steps: SkipValidation[Steps] = Field(default=PlainSteps(), repr=False, exclude=True)
    """Goes along where tools are used."""
    account: SkipValidation[Principal] = Field(default=LOCAL, repr=False, exclude=True)
    """Whose keys it may be asked with; the local user's are the server's."""

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens go in."""
        files = sum(each.estimated_tokens for each in self.attachments)
        return estimated_tokens(self.prompt, self.system) + files


class Reply(Spending):
    """The answer to a `Question`, and what all tries used."""

    text: str
    seconds: float
    tries: int = 1
    """Calls made, including the failed ones."""
    warnings: tuple[str, ...] = ()
    """Anything unusual, such as a reply that was cut short or needed a second try."""
    nested_run_id: str | None = None
    """The run whose synthesis this is, where the model is a consortium."""
