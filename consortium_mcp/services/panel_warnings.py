"""What a user should know about a consortium before anyone is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.panel import known_models
from consortium_mcp.core.strategies import strategy_of

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.services.catalogue import Candidate


def nothing_ready_message(snapshot: Snapshot) -> str:
    """The models that are ready, and the three ways to get a panel."""
    ready = sorted(model_id for model_id, entry in snapshot.entries.items() if entry.ready)
    shown = ", ".join(ready[:8]) + (" …" if len(ready) > len(ready[:8]) else "")
    return (
        "No panel was named, and fewer than two current models are ready. "
        f"Ready: {shown or 'none'}. Three ways out: (1) set the keys of two providers, e.g. "
        "`llm keys set openai` and `llm keys set anthropic` with the plugin llm-anthropic, or "
        "sign in to two of the programs claude, codex and gemini; "
        "(2) run `consortium-mcp setup-local` for the small local demo models; "
        "(3) name the `models`, or save a consortium called `default`. "
        "`consortium-mcp doctor` shows what is missing, and how to add it here."
    )


def warnings_of(config: ConsortiumConfig, asked: list[Candidate]) -> list[str]:
    """What a user should know about this configuration, whatever comes of a run."""
    warnings = []
    nested = {each.name for each in asked if each.consortium is not None}
    if len(config.members) == 1 and config.members[0].model not in nested:
        warnings.append("Only one member is asked: nothing it says is checked by another model.")
    if any(each.demo for each in asked):
        warnings.append(
            "Demo tier: these local models are very small and often wrong. Their answers show how "
            "a consultation works and are not to be relied on."
        )
    if config.strategy != "roles" and any(member.role for member in config.members):
        warnings.append("Members' roles have an effect in the strategy `roles` only.")
    if config.escalate_to in {member.model for member in config.members}:
        warnings.append(
            f"{config.escalate_to} is a member already, so escalating to it brings no new view. "
            "Name a stronger model in escalate_to."
        )
    with_options = {member.model for member in config.members if member.options}
    if config.arbiter_options:
        with_options |= {config.arbiter, *config.arbiters}
    if ignored := sorted(with_options & nested):
        warnings.append(
            f"{', '.join(ignored)} is a consortium: give options to its own members instead."
        )
    return warnings


def arbiter_warnings(config: ConsortiumConfig, asked: list[Candidate]) -> list[str]:
    """What a user should know about the arbiters, should one be asked.

    Not every run asks one, so a report says it of those that judged.
    """
    if not strategy_of(config).weighs:
        return []
    nested = {each.name for each in asked if each.consortium is not None}
    models = {member.model for member in config.members} - nested
    arbiters = [each for each in (config.arbiter, *config.arbiters) if each not in nested]
    found = (known_models.reason_to_favour(arbiter, models) for arbiter in arbiters)
    return [warning for warning in found if warning is not None]
