"""Makes a run from a request: everything is checked, nothing is called, nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ulid import ULID

from consortium_mcp.core.domain.errors import ConfigError, StoreUnavailable
from consortium_mcp.core.domain.learned import Learned
from consortium_mcp.core.domain.run import Run, Turn, with_learned
from consortium_mcp.core.engine.fingerprint import fingerprint_of
from consortium_mcp.core.panel.labels import members_of_run
from consortium_mcp.core.panel.template import with_template
from consortium_mcp.core.spending.estimate import estimate
from consortium_mcp.services.price_lists import NOT_NEEDED, PriceList
from consortium_mcp.services.runs.attaching import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.saved.calibrations import Calibrations
    from consortium_mcp.adapters.templates import Templates
    from consortium_mcp.core.domain.ask import CallPrice
    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.request import ConsultRequest
    from consortium_mcp.core.records.run_record import RunRecord
    from consortium_mcp.core.reports.report import Plan
    from consortium_mcp.services.price_lists import PriceLists
    from consortium_mcp.services.resolution import RequestResolver, ResolvedConsortium


@dataclass(frozen=True)
class PreparedRun:
    """A run that has not begun, and the consortium that it asks."""

    run: Run
    resolved: ResolvedConsortium
    prices: PriceList = NOT_NEEDED
    """What its `max_cost` is counted with."""

    def plan(self, price: CallPrice) -> tuple[Plan, tuple[str, ...]]:
        """What the run would cost, and what its user should know before it begins."""
        plan, warnings = _plan(self.run, self.resolved, price)
        return plan, (*self.resolved.of_arbiters, *warnings)


class RunPreparation:
    """Prepares runs.

    Args:
        resolver: decides who is asked.
        store: holds the runs to continue.
        calibrations: holds what labelled runs taught.
        new_seed: makes the random text from which a run's labels and quoting marks are made.
        unrecorded_run: finds those that only this process knows.
        price_lists: say what calls cost, where that is limited.
        templates: what prompts may go into.
        inside: whether this process was started by an agent program that a consultation asks.
        default_tools: what members may use where their consortium does not say.
    """

    def __init__(
        self,
        resolver: RequestResolver,
        store: Store,
        calibrations: Calibrations,
        new_seed: Callable[[], str],
        unrecorded_run: Callable[[str], RunRecord | None],
        *,
        price_lists: PriceLists,
        templates: Templates,
        inside: bool = False,
        default_tools: Sequence[str] = (),
    ) -> None:
        self._default_tools = tuple(default_tools)
        self._inside = inside
        self._resolver = resolver
        self._store = store
        self._calibrations = calibrations
        self._new_seed = new_seed
        self._unrecorded_run = unrecorded_run
        self._price_lists = price_lists
        self._templates = templates

    async def prepare(self, request: ConsultRequest) -> PreparedRun:
        """The run that this request asks for.

        Raises:
            ConfigError: something cannot be done as asked.
            UnknownRun: the run to continue does not exist.
            StoreError: the journal cannot be read at all.
        """
        self._check(request)
        previous = await self._previous(request.continue_run)
        resolved = await self._resolved(request, previous.config if previous else None)
        request, config, left_out = await self._in_template(request, resolved)
        resolved = await self._with_tools(replace(resolved, config=config))
        resolved, attachments = await attach(resolved, _attached(request, previous))
        prices = await self._price_lists.for_run(resolved)
        learned, warnings = await self._learned()
        seed = self._new_seed()
        run = Run(
            run_id=str(ULID()),
            prompt=request.checked_prompt(),
            config=resolved.config,
            members=members_of_run(resolved.config, seed),
            seed=seed,
            history=_conversation(previous) if previous else tuple(request.history),
            attachments=attachments,
            continues=request.continue_run,
            warnings=(*resolved.run_warnings, *left_out, *prices.warnings, *warnings),
            client=request.client,
        )
        run = with_learned(run, learned)
        fingerprint = fingerprint_of(run, _all_nested(resolved))
        run = run.model_copy(update={"fingerprint": fingerprint})
        return PreparedRun(run, resolved, prices)

    def _check(self, request: ConsultRequest) -> None:
        if self._inside:
            raise ConfigError(
                "This was asked for from inside a consultation, by a program that is one of its "
                "members. A member answers by itself: another consultation would ask it again, "
                "without end."
            )
        if request.continue_run is not None and request.history:
            raise ConfigError(
                "Both continue_run and history were given. Give one of them: a run that is "
                "continued brings its own history."
            )

    async def _previous(self, run_id: str | None) -> RunRecord | None:
        if run_id is None:
            return None
        record = self._unrecorded_run(run_id) or await self._store.record(run_id)
        if record.report.synthesis is None or record.report.status not in {"completed", "degraded"}:
            raise ConfigError(
                f"Run {run_id} is {record.report.status}: only a run with an answer can be "
                "continued. Wait for one that is working, resume one that was interrupted."
            )
        return record

    async def _resolved(
        self, request: ConsultRequest, previous: ConsortiumConfig | None
    ) -> ResolvedConsortium:
        names_panel = request.consortium is not None or request.settings.models is not None
        if previous is None or names_panel:
            return await self._resolver.resolve(request.consortium, request.settings)
        previous = previous.model_copy(update={"template": None})  # it was for that prompt
        return await self._resolver.resolve_from(previous, request.settings)

    async def _with_tools(self, resolved: ResolvedConsortium) -> ResolvedConsortium:
        """The consortium with the tools that its members may use, and a note of who cannot."""
        tools = resolved.config.tools
        if tools is None and self._default_tools:
            tools = self._default_tools
            await self._resolver.check_tools(tools)
        if not tools:
            return resolved
        config = resolved.config.model_copy(update={"tools": tools})
        members = {member.model for member in config.members}
        unable = sorted(members & resolved.without_tools)
        told = [f"{', '.join(unable)} cannot use tools, and answers without."] if unable else []
        return replace(resolved, config=config, warnings=(*resolved.warnings, *told))

    async def _in_template(
        self, request: ConsultRequest, resolved: ResolvedConsortium
    ) -> tuple[ConsultRequest, ConsortiumConfig, tuple[str, ...]]:
        """The request with its prompt in the template, what that makes of the panel, and warnings.

        What the call itself says goes before its template, and what it brings before what is saved.
        """
        config = resolved.config
        if config.template is None:
            return request, config, ()
        filled = await self._templates.filled(config.template, request.text())
        named_here = request.settings.template is not None
        config = with_template(
            config,
            filled,
            resolved.options,
            system=request.settings.system if named_here else config.system,
            criteria=request.settings.criteria if named_here else config.criteria,
        )
        return replace(request, prompt=filled.prompt), config, filled.warnings

    async def _learned(self) -> tuple[Learned, tuple[str, ...]]:
        try:
            return await self._calibrations.current(), ()
        except StoreUnavailable as error:  # no reason not to answer
            return Learned(), (f"Whether the confidence is calibrated could not be read: {error}",)


def _all_nested(resolved: ResolvedConsortium) -> dict[str, ConsortiumConfig]:
    """Every consortium that this one asks, itself or through others, by name."""
    found: dict[str, ConsortiumConfig] = {}
    for name, inner in resolved.nested.items():
        found |= {name: inner.config} | _all_nested(inner)
    return found


def _attached(request: ConsultRequest, previous: RunRecord | None) -> list[Attachment]:
    """What the run that is continued was about, and what comes with the request, each once."""
    attached: dict[str, Attachment] = {}
    earlier = previous.attachments if previous else ()
    for each in (*earlier, *request.attachments):  # the earlier stay as they were shown
        attached.setdefault(each.identity, each)
    return [*attached.values()]


def _conversation(record: RunRecord) -> tuple[Turn, ...]:
    """The conversation up to the end of this run."""
    report = record.report
    return (*record.history, Turn(prompt=report.prompt, synthesis=report.synthesis or ""))


def _plan(run: Run, resolved: ResolvedConsortium, price: CallPrice) -> tuple[Plan, tuple[str, ...]]:
    """The plan of a run; a nested consortium counts with what it may take itself."""
    plans = {}
    for name, inner in resolved.nested.items():
        members = members_of_run(inner.config, run.seed)
        inner_run = run.model_copy(update={"config": inner.config, "members": members})
        plans[name] = _plan(inner_run, inner, price)[0]
    plan, warnings = estimate(run, plans, price)
    return plan, (*warnings, *resolved.notes)
