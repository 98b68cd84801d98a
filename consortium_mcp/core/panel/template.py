"""What a template makes of a prompt, and of the panel that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member


class FilledTemplate(NamedTuple):
    """What a template makes of a prompt."""

    prompt: str
    system: str | None = None
    criteria: str | None = None
    """What the arbiter shall judge and write by."""
    options: Mapping[str, Any] = {}
    """Model options for the members, by llm's names."""
    warnings: tuple[str, ...] = ()
    """What of the template was left out."""


def with_template(
    config: ConsortiumConfig,
    filled: FilledTemplate,
    taken: Mapping[str, Collection[str]],
    *,
    system: str | None,
    criteria: str | None,
) -> ConsortiumConfig:
    """The configuration with what the template brings, so that a run's record has all of it.

    Args:
        config: the configuration without it.
        filled: what the template brings.
        taken: model -> the options that it has; others are not given to it.
        system: the system prompt that goes before the template's, where one does.
        criteria: the criteria that go before the template's, where some do.
    """
    members: list[Member] = []
    for member in config.members:
        known = taken.get(member.model, ())
        brought = {name: each for name, each in filled.options.items() if name in known}
        members.append(member.model_copy(update={"options": brought | member.options}))
    return config.model_copy(
        update={
            "members": tuple(members),
            "system": system or filled.system or config.system,
            "criteria": criteria or filled.criteria or config.criteria,
        }
    )
