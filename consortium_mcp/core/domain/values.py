"""The base class of all values, and the values that many rooms share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

Share = Annotated[float, Field(ge=0, le=1)]


class Value(BaseModel):
    """Base class of all values: frozen, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Spending(Value):
    """What calls used, as far as it is known."""

    input_tokens: int | None = None
    """Summed over the calls that reported any; `None` where none did. So is `output_tokens`."""
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of the input that the providers had in their caches."""
    cost_usd: float | None = None
    """Of the calls whose price is known; `None` where none is."""
    priced_calls: int = 0
    """How many those are."""


def total(parts: Iterable[Spending]) -> Spending:
    """What all of them used together."""
    parts = list(parts)
    return Spending(
        input_tokens=_sum(part.input_tokens for part in parts),
        output_tokens=_sum(part.output_tokens for part in parts),
        cached_tokens=_sum(part.cached_tokens for part in parts),
        cost_usd=_sum(part.cost_usd for part in parts),
        priced_calls=sum(part.priced_calls for part in parts),
    )


_Number = TypeVar("_Number", int, float)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    """The sum of the known values; `None` where none is known."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
