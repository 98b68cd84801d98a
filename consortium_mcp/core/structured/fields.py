"""What was agreed: the object, its leaves, and who stands behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from consortium_mcp.core.structured.values import ABSENT

if TYPE_CHECKING:
    from consortium_mcp.core.structured.schema import Breach
    from consortium_mcp.core.structured.values import Path

SettledBy = Literal["only", "vote", "arbiter"]


class FieldVote(NamedTuple):
    """A value of a leaf, and the members that gave it."""

    value: Any
    """As most of them wrote it; `ABSENT` where their objects have nothing here."""
    labels: tuple[str, ...]
    agreement: float
    """Their share of the weight of all that voted here."""


class Field(NamedTuple):
    """A leaf of the agreed object, or a property that it was agreed not to have."""

    path: Path
    value: Any
    """`ABSENT` where most members' objects have nothing here."""
    agreement: float
    """The share of the weight of those that voted here that stands behind the value."""
    confidence: float
    """How likely the value is right, from 0 to 1; see `confidence.of_field`."""
    voters: float
    """How many votes of mean weight there are for the field."""
    votes: tuple[FieldVote, ...]
    """The value's own first, the others by falling agreement."""
    settled_by: SettledBy
    """`only` where one member had an object; `arbiter` where it decided."""
    required: bool = True
    """Whether the schema requires it, and everything that it is in."""
    prose: bool = False
    """Whether it is a text of some length, which members word differently though they agree."""

    @property
    def there(self) -> bool:
        """Whether the agreed object has it."""
        return self.value is not ABSENT


class LeftOut(NamedTuple):
    """An element that too few members have in a list."""

    path: Path
    """The list's."""
    value: Any
    labels: tuple[str, ...]
    agreement: float


class Agreed(NamedTuple):
    """The agreed object."""

    data: dict[str, Any] | None
    """`None` where no member gave an object."""
    fields: tuple[Field, ...]
    """In the order of the object."""
    left_out: tuple[LeftOut, ...]
    breaches: tuple[Breach, ...]
    """What in `data` breaks the schema; empty where it is valid."""
    confidence: float
    """Of the whole; see `confidence.of_whole`. 0 where there is no object."""
