"""Every error that this project raises on purpose, in one class hierarchy.

Each message says what is wrong and what to do about it. Each front end converts these errors, in
one place, to what its callers expect (`ToolError`, `ClickException`, `llm.ModelError`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Spending

if TYPE_CHECKING:
    from collections.abc import Mapping

Listing = Literal["models", "consortiums", "runs"]


class ConsortiumError(Exception):
    """Base class of the project's errors."""

    listing: ClassVar[Listing | None] = None
    """The list that shows the right names. Each front end says how its users get it."""

    def told(self, listings: Mapping[Listing, str]) -> str:
        """The message, followed by how to list the right names where there is such a list."""
        return str(self) if self.listing is None else f"{self} {listings[self.listing]}"


class ConfigError(ConsortiumError):
    """The request is invalid; no model was called."""


class InvalidMember(ConfigError):
    """A member is not written as `model` or `model:count` with a count from 1 to 32."""


class UnknownModel(ConfigError):
    """No llm plugin knows this model, or its key is missing."""

    listing = "models"


class UnknownStrategy(ConfigError):
    """No strategy has this name."""


class UnknownTemplate(ConfigError):
    """No template has this name."""


class UnknownConsortium(ConfigError):
    """No consortium is saved under this name."""

    listing = "consortiums"


class CyclicConsortium(ConfigError):
    """A consortium contains itself, or consortiums are nested too deeply."""


class RunError(ConsortiumError):
    """A run could not do what was requested."""


class MemberError(RunError):
    """One model call failed. It is recorded on the response and never ends a run by itself.

    Args:
        message: what happened, with API keys already removed.
        kind: a short name for the kind of failure, such as `timeout` or `empty`.
        permanent: whether asking again cannot help, as with a refused key; the member is not asked
            in later iterations.
        passing: whether the same call may soon succeed, as after a rate limit.
        retry_after: seconds to wait before asking again, if the provider named a time.
        spent: what the failed call still used.
        tries: calls made, all of which failed.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "error",
        permanent: bool = False,
        passing: bool = False,
        retry_after: float | None = None,
        spent: Spending | None = None,
        tries: int = 1,
    ) -> None:
        super().__init__(clean(message))
        self.kind = kind
        self.permanent = permanent
        self.passing = passing
        self.retry_after = retry_after
        self.spent = spent or Spending()
        self.tries = tries


class VerdictError(RunError):
    """An arbiter's reply contains no valid verdict. The message says what is missing or wrong."""


class BudgetExceeded(RunError):
    """The next call would exceed the run's budget; it was not made."""


class BudgetError(RunError):
    """Somebody's budget does not allow a run; no model was called.

    Args:
        message: what is left, of what, and when it is counted anew.
        what: what is short: `calls`, `tokens`, `dollars`, or `runs` at once.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


class StoreError(ConsortiumError):
    """The database cannot do what was requested."""


class UnknownRun(StoreError):
    """No run has this id."""

    listing = "runs"


class NotYours(StoreError):
    """Somebody else's, who lets it be read and not changed."""


class StoreUnavailable(StoreError):
    """The database cannot be used now: locked, unwritable, damaged, no database, not ours.

    No reason not to answer: a run goes on in memory, and says so.
    """


class StoreBusy(StoreUnavailable):
    """Another process held a lock on the database for too long."""


class StoreNewer(StoreError):
    """The database was written by a newer version of this software."""
