"""The labels that stand for a run's members in the arbiter's prompt."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.consortium import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def label(index: int) -> str:
    """The label of the member at this index, from 0: A to Z, then AA, AB and so on."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shuffle_labels(members: Sequence[Member], seed: str) -> tuple[Member, ...]:
    """Give each member a label that does not reveal its place in the panel.

    The panel keeps its order. Judges prefer the first response (position bias), so which response
    comes first must not depend on the order of the configuration.
    """
    labels = [label(index) for index in range(len(members))]
    random.Random(seed).shuffle(labels)
    return tuple(
        member.model_copy(update={"label": new})
        for member, new in zip(members, labels, strict=True)
    )


def members_of_run(config: ConsortiumConfig, seed: str) -> tuple[Member, ...]:
    """The labelled members of a run: the panel, then the reserve that `escalate_to` names.

    The reserve is in the tier `strong`, since it is asked for its strength.
    """
    members = config.members
    if config.escalate_to is not None:
        last = label(len(members))
        members += (Member(label=last, model=config.escalate_to, tier="strong", reserve=True),)
    return shuffle_labels(members, seed)
