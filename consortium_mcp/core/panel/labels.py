"""The labels by which the arbiter knows the members of a run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.consortium import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def label(index: int) -> str:
    """The label of the member at this place: A to Z, then AA, AB and so on."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shuffle_labels(members: Sequence[Member], seed: str) -> tuple[Member, ...]:
    """Give each member a label that does not betray its place in the panel.

    The order of the panel stays. Judges prefer what stands first (position bias), so which response
    stands first must not depend on who wrote the configuration.
    """
    labels = [label(index) for index in range(len(members))]
    random.Random(seed).shuffle(labels)
    return tuple(
        member.model_copy(update={"label": new})
        for member, new in zip(members, labels, strict=True)
    )


def members_of_run(config: ConsortiumConfig, seed: str) -> tuple[Member, ...]:
    """The labelled members of a run: the panel, and the reserve that `escalate_to` names.

    The reserve is taken as strong, which is what it is asked for.
    """
    members = config.members
    if config.escalate_to is not None:
        last = label(len(members))
        members += (Member(label=last, model=config.escalate_to, tier="strong", reserve=True),)
    return shuffle_labels(members, seed)
