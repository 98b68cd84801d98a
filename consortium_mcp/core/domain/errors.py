"""Every error this project raises on purpose, as one tree.

Each message says what is wrong and what to do about it. Front ends turn the tree into what their
callers expect (`ToolError`, `ClickException`, `llm.ModelError`) in one place each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from consortium_mcp.core.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

Listing = Literal["models", "consortiums", "runs"]


class ConsortiumError(Exception):
    """Root of the tree."""

    listing: ClassVar[Listing | None] = None
    """What to look through for the right name. Each front end knows how its user does that."""

    def told(self, listings: Mapping[Listing, str]) -> str:
        """The message, and where to look if that helps."""
        return str(self) if self.listing is None else f"{self} {listings[self.listing]}"


class ConfigError(ConsortiumError):
    """What was asked for cannot be done as written; nothing has been called."""


class InvalidMember(ConfigError):
    """A member is not written as `model` or `model:count` with a count from 1 to 32."""


class UnknownModel(ConfigError):
    """No plugin of llm knows this model, or its key is missing."""

    listing = "models"


class UnknownStrategy(ConfigError):
    """No strategy has this name."""


class UnknownConsortium(ConfigError):
    """No consortium is saved under this name."""

    listing = "consortiums"


class CyclicConsortium(ConfigError):
    """A consortium would be asked by itself, or consortiums stand in each other too deeply."""


class RunError(ConsortiumError):
    """A run could not do what it was asked to."""


class MemberError(RunError):
    """One model call failed. It becomes data on the response and never ends a run by itself.

    Args:
        message: what happened, already stripped of keys.
        kind: a short name for the class of failure, such as `timeout` or `empty`.
        permanent: true where asking again cannot help, such as a refused key; the member is not
            asked in later iterations.
        passing: true where the same call may go through in a moment, such as a rate limit.
        retry_after: seconds after which the provider wants to be asked again, if it said so.
        input_tokens: what the failed call has cost all the same, where that is known.
        output_tokens: the same.
        tries: calls that were made, all of which failed.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "error",
        permanent: bool = False,
        passing: bool = False,
        retry_after: float | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        tries: int = 1,
    ) -> None:
        super().__init__(clean(message))
        self.kind = kind
        self.permanent = permanent
        self.passing = passing
        self.retry_after = retry_after
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.tries = tries


class VerdictError(RunError):
    """An arbiter's text holds no valid verdict. The message says what is missing or wrong."""


class BudgetExceeded(RunError):
    """The next call does not fit what the run may spend; it was not made."""


class StoreError(ConsortiumError):
    """The database cannot do what was asked."""


class UnknownRun(StoreError):
    """No run has this id."""

    listing = "runs"


class StoreUnwritable(StoreError):
    """The database cannot be written now: the disk is full, the file read-only or damaged."""


class StoreBusy(StoreError):
    """Another process held the database's write lock for too long."""


class StoreNewer(StoreError):
    """A newer version of this software has written the database."""
