"""How long the process of a run may be silent before others act."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lease:
    """A run is its process's for as long as that process writes heartbeats, one each second."""

    claim_seconds: float
    """Silence after which another process may take the run over."""
    told_seconds: float
    """Silence after which readers are told that the run is interrupted."""


ONE_PERSON = Lease(claim_seconds=10.0, told_seconds=10.0)
"""Ten missed heartbeats. A busy machine or a long write of another process delays one or two; a run
that is taken over too early would be paid twice."""
TEAM = Lease(claim_seconds=8.0, told_seconds=30.0)
"""Workers take a dead one's runs over by themselves, and nobody is told before they had the time to
do so. Heartbeats have a thread and a connection of their own there."""
