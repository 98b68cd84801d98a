"""Budgets that hold: what a user's run may use is set aside before it begins."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import BudgetError, StoreError
from consortium_mcp.core.spending.allotting import Want
from consortium_mcp.core.spending.costs import no_price
from consortium_mcp.core.spending.limits import SPENDABLE, Spendable
from consortium_mcp.services.runs.admission import Admission, Allowance

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.core.domain.ask import CallPrice
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.core.spending.limits import Standing, Used
    from consortium_mcp.services.preparation import PreparedRun
    from consortium_mcp.services.price_lists import PriceLists
    from consortium_mcp.services.resolution import ResolvedConsortium

    OnRefused = Callable[[Principal, BudgetError], Awaitable[None]]

logger = logging.getLogger(__name__)


class Budgets:
    """The budgets of a team; for each of its users, `of` decides which runs may begin.

    Args:
        database: a team's.
        owner: marks the runs of this process; see `Store.owner`.
        on_refused: is told of each run that is not allowed.
    """

    def __init__(self, database: Database, owner: str, on_refused: OnRefused | None = None) -> None:
        self.on_refused = on_refused
        self.owner = owner
        self.limits = Limits(database)
        self.ledger = Ledger(database)

    def of(self, principal: Principal, price_lists: PriceLists) -> Admission:
        """What decides for this user."""
        return _BudgetsOfUser(self, principal, price_lists)


class _BudgetsOfUser:
    """See `runs.admission.Admission`."""

    counts = True

    def __init__(self, budgets: Budgets, principal: Principal, price_lists: PriceLists) -> None:
        self._budgets = budgets
        self._principal = principal
        self._price_lists = price_lists

    async def admit(self, prepared: PreparedRun, *, resumed: bool = False) -> Allowance:
        held = {limit.what for limit in await self._budgets.limits.holding(self._principal)}
        wants = await self._wants(prepared, [what for what in SPENDABLE if what in held])
        run_id = prepared.run.run_id
        try:
            taken = await self._budgets.ledger.take(self._principal, run_id, wants, resumed=resumed)
        except BudgetError as error:
            if self._budgets.on_refused is not None:
                await self._budgets.on_refused(self._principal, error)
            raise
        return Allowance(
            calls=None if taken.calls is None else int(taken.calls),
            tokens=None if taken.tokens is None else int(taken.tokens),
            dollars=taken.dollars,
            fresh=taken.fresh,
        )

    async def standings(self) -> list[Standing]:
        return await self._budgets.ledger.standings(self._principal)

    async def _wants(
        self, prepared: PreparedRun, limited: Iterable[Spendable]
    ) -> dict[Spendable, Want]:
        """What the run may take, of what is limited."""
        iterations = prepared.run.config.max_iterations
        found: dict[Spendable, Want] = {}
        for what in limited:
            if what == "calls":
                most: float = prepared.plan(no_price)[0].most_calls
                found[what] = Want(most, math.ceil(most / iterations))
            elif what == "tokens":
                most = _most_tokens(prepared)
                found[what] = Want(most, math.ceil(most / iterations))
            else:
                prices = await self._price_lists.of(prepared.resolved)
                most = _most_dollars(prepared, prices.price)
                found[what] = Want(most, most / iterations)
        return found

    async def withdraw(self, run_id: str) -> None:
        try:
            await self._budgets.ledger.withdraw(run_id)
        except StoreError as error:  # it is given back once nobody has worked on it for long
            logger.info("what was set aside for run %s was not given back: %s", run_id, error)

    async def settle(self, run_id: str, used: Used) -> None:
        try:
            await self._budgets.ledger.settle(run_id, used, self._budgets.owner)
        except StoreError as error:  # it is settled by its journal, when somebody lacks it
            logger.info("run %s was not settled: %s", run_id, error)


def _most_dollars(prepared: PreparedRun, price: CallPrice) -> float:
    return prepared.plan(price)[0].most_cost_usd or 0.0


def _most_tokens(prepared: PreparedRun) -> int:
    """The tokens of the worst case: what it would cost if each token cost one dollar."""

    def tokens(_model: str, input_tokens: int, output_tokens: int, /) -> float:
        return float(input_tokens + output_tokens)

    resolved = _without_max_cost(prepared.resolved)
    run = prepared.run.model_copy(update={"config": resolved.config})
    most = int(_most_dollars(replace(prepared, run=run, resolved=resolved), tokens))
    return min(most, prepared.run.config.max_total_tokens or most)


def _without_max_cost(resolved: ResolvedConsortium) -> ResolvedConsortium:
    config = resolved.config.model_copy(update={"max_cost": None})
    nested = {name: _without_max_cost(inner) for name, inner in resolved.nested.items()}
    return replace(resolved, config=config, nested=nested)
