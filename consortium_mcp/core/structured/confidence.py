"""How likely a field is right, and the whole."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.structured.fields import Field

DOUBT = 0.15
"""The weight of an imagined member that agrees with nobody, in mean weights of a member."""


def of_field(agreement: float, members: float) -> float:
    """The confidence of a field: how likely two members, drawn anew, would both stand behind it.

    Args:
        agreement: the share of the weight that stands behind the value.
        members: how many votes of mean weight there were.
    """
    if members <= 1:
        return agreement / 2
    return (agreement * members / (members + DOUBT)) ** 2


def of_whole(fields: Sequence[Field]) -> float:
    """The confidence of an object: the mean of its fields'."""
    return fmean(field.confidence for field in fields) if fields else 0.0
