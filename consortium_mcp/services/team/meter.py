"""What a team's server may have counted while it works. `frontends.team.metrics` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.reports.report import RunReport


class Meter(Protocol):
    """Counts calls and runs of this process."""

    def around(self, ask: Ask, provider_of: Callable[[str], str]) -> Ask:
        """An `Ask` that counts the calls that this one makes.

        Args:
            ask: makes one try of one call.
            provider_of: the provider of a model.
        """
        ...

    def run_ended(self, report: RunReport) -> None:
        """Count a run that has ended here."""
        ...

    def refused(self, what: str) -> None:
        """Count a run that a budget did not allow, by what was short."""
        ...
