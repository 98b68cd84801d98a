"""What the calls of a consortium cost, looked up before the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from consortium_mcp.adapters.prices import Tokens, price_of
from consortium_mcp.core.domain.consortium import names_asked
from consortium_mcp.core.domain.errors import UnknownModel
from consortium_mcp.core.spending.costs import no_price

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.prices import Prices
    from consortium_mcp.core.domain.ask import CallPrice
    from consortium_mcp.services.resolution import ResolvedConsortium


@dataclass(frozen=True)
class PriceList:
    """The prices of those that a consortium asks."""

    price: CallPrice = no_price
    unknown: tuple[str, ...] = ()
    """Models that may charge, and whose price is not known."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody who limits the cost should know."""
        if not self.unknown:
            return ()
        told = (
            f"max_cost does not count {', '.join(self.unknown)} before a reply tells its cost, as "
            "no price is known. Name it in consortium-prices.toml in llm's folder (US dollars for "
            "a million tokens), or limit the run with max_calls."
        )
        return (told,)


NOT_NEEDED = PriceList()


class PriceLists:
    """Makes price lists.

    Args:
        registry: finds the models.
        prices: know what they cost.
    """

    def __init__(self, registry: Registry, prices: Prices) -> None:
        self._registry = registry
        self._prices = prices

    async def for_run(self, resolved: ResolvedConsortium) -> PriceList:
        """The prices that a run of this consortium is limited by."""
        return NOT_NEEDED if resolved.config.max_cost is None else await self.of(resolved)

    async def of(self, resolved: ResolvedConsortium) -> PriceList:
        """The prices of all that this consortium asks, those in nested ones too."""
        snapshot = await self._registry.snapshot()

        def price(model: str, input_tokens: int, output_tokens: int, /) -> float | None:
            try:
                entry = snapshot.find(model)
            except UnknownModel:
                return None
            return price_of(self._prices, entry, Tokens(input_tokens, output_tokens))

        def unpriced() -> tuple[str, ...]:
            found = [snapshot.entries.get(name) for name in sorted(_models(resolved))]
            charging = [entry.model_id for entry in found if entry is not None and entry.is_paid]
            return tuple(name for name in charging if price(name, 1, 1) is None)

        # In a thread: the first look at the prices takes its time.
        return PriceList(price, await anyio.to_thread.run_sync(unpriced))


def _models(resolved: ResolvedConsortium) -> set[str]:
    inner = [name for each in resolved.nested.values() for name in _models(each)]
    return {*names_asked(resolved.config), *inner} - resolved.nested.keys()
