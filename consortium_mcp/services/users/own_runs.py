"""The runs of this process as one of its users sees them: their own, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.principal import LOCAL

if TYPE_CHECKING:
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.services.runs.handle import RunHandle
    from consortium_mcp.services.runs.supervisor import RunSupervisor


class OwnRuns:
    """What `RunSupervisor` does, for one user. A run of somebody else is no run of this process.

    Args:
        supervisor: keeps the runs of all users going.
        principal: whose runs these are; the local user's are all.
    """

    def __init__(self, supervisor: RunSupervisor, principal: Principal) -> None:
        self._supervisor = supervisor
        self._principal = principal
        self.start = supervisor.start
        self.when_ended = supervisor.when_ended
        self.write_rest = supervisor.write_rest
        self.spawn = supervisor.spawn
        self.holding = supervisor.holding
        self.working = supervisor.working
        self.give_up = supervisor.give_up

    def _is_open(self, handle: RunHandle) -> bool:
        return self._principal in {LOCAL, handle.principal}

    def get(self, run_id: str) -> RunHandle | None:
        """See `RunSupervisor.get`."""
        handle = self._supervisor.get(run_id)
        return handle if handle is not None and self._is_open(handle) else None

    def unrecorded(self) -> list[RunHandle]:
        """See `RunSupervisor.unrecorded`."""
        return [handle for handle in self._supervisor.unrecorded() if self._is_open(handle)]

    def unrecorded_run(self, run_id: str) -> RunRecord | None:
        """See `RunSupervisor.unrecorded_run`."""
        return self._supervisor.unrecorded_run(run_id) if self.get(run_id) is not None else None

    def working_on(self, fingerprint: str | None) -> str | None:
        """See `RunSupervisor.working_on`. The local user's question is not another's either."""
        return self._supervisor.working_on(fingerprint, self._principal)

    def cancelled(self) -> list[str]:
        """See `RunSupervisor.cancelled`."""
        return [run_id for run_id in self._supervisor.cancelled() if self.get(run_id) is not None]

    def cancel(self, run_id: str) -> bool:
        """See `RunSupervisor.cancel`."""
        return self.get(run_id) is not None and self._supervisor.cancel(run_id)
