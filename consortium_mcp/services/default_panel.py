"""Who is asked when nobody is named, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from consortium_mcp.adapters.prices import Prices, Tokens
from consortium_mcp.core.domain.consortium import is_program
from consortium_mcp.core.domain.errors import ConfigError, StoreUnavailable, UnknownConsortium
from consortium_mcp.core.panel.known_models import current_panel, panel_of_programs
from consortium_mcp.services.panel_warnings import nothing_ready_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
    from consortium_mcp.core.domain.consortium import ConsortiumConfig

DEFAULT_CONSORTIUM = "default"
_MILLION = 1_000_000
_FEWEST = 2
"""One model is no consortium."""


@dataclass(frozen=True)
class DefaultPanel:
    """Who is asked when nobody is named: a saved consortium, or models."""

    why: str
    """In a clause, such as `CONSORTIUM_MODELS names them`."""
    saved: ConsortiumConfig | None = None
    models: tuple[str, ...] = ()
    arbiter: str | None = None
    warnings: tuple[str, ...] = ()


async def default_panel(
    registry: Registry, saved: SavedConsortiums, default_models: Sequence[str] = ()
) -> DefaultPanel:
    """The consortium `default`, else `CONSORTIUM_MODELS`, else what is ready.

    Of what is ready: the providers' current models, else the agent programs that are signed in,
    else the models of a local server, else the local demo models.

    Args:
        registry: finds models.
        saved: holds the saved consortiums.
        default_models: what `CONSORTIUM_MODELS` names.

    Raises:
        ConfigError: nothing is ready; the message says what helps.
    """
    warnings: tuple[str, ...] = ()
    try:
        config = await saved.find(DEFAULT_CONSORTIUM)
        return DefaultPanel(f"it is saved as {DEFAULT_CONSORTIUM!r}", config)
    except UnknownConsortium:
        pass
    except StoreUnavailable as error:  # no reason not to answer
        warnings = (f"Whether a default consortium is saved could not be read: {error}",)
    if default_models:
        why = "CONSORTIUM_MODELS names them"
        return DefaultPanel(why, models=tuple(default_models), warnings=warnings)
    snapshot = await registry.snapshot(refresh=True)
    # In a thread, because looking prices up takes its time.
    return await anyio.to_thread.run_sync(_of_ready_models, snapshot, warnings)


def _of_ready_models(snapshot: Snapshot, warnings: tuple[str, ...]) -> DefaultPanel:
    """The best of what is ready. Plugins that could not be considered are named in warnings."""
    ready = [model_id for model_id, entry in snapshot.entries.items() if entry.ready]
    entries = snapshot.entries
    near = [each for each in ready if entries[each].served_nearby]
    demo = [each for each in ready if entries[each].demo]
    providers = {each: entries[each].provider for each in ready}
    programs = [each for each in ready if is_program(each)]
    own = [each for each in programs if each.count("/") == 1]  # with the model its user has set
    far = [each for each in ready if each not in {*near, *demo, *programs}]
    warnings += tuple(
        f"The default panel was chosen without the plugin {plugin}: {why}."
        for plugin, why in snapshot.plugin_errors.items()
    )

    def dollars(model: str) -> float | None:
        return Prices().of(model, providers[model], Tokens(_MILLION, _MILLION))

    if (panel := current_panel(far, (), providers, dollars)) is not None:
        members, arbiter = panel
        why = "the newest general model of each provider, or of each family, that is ready"
        if arbiter not in members:
            why += f"; {arbiter} only judges, as models favour their own answers"
    elif (panel := panel_of_programs(own, far, dollars)) is not None:
        members, arbiter = panel
        why = "fewer than two providers have a key, and these programs are signed in"
    elif (panel := current_panel([*far, *near], near, providers)) is not None:
        members, arbiter = panel
        why = "fewer than two providers have a key, and a server on this machine offers them"
    elif len(demo) >= _FEWEST:
        members, arbiter = demo, demo[-1]
        why = "nothing else is ready; these are the small local demo models"
    else:
        raise ConfigError(nothing_ready_message(snapshot))
    return DefaultPanel(why, models=tuple(members), arbiter=arbiter, warnings=warnings)
