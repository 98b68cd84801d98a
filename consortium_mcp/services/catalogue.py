"""Who can be asked, by name: llm's models and the saved consortiums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.adapters.agents.finding import AGENTS
from consortium_mcp.adapters.installation import how_to_add
from consortium_mcp.core.domain.consortium import Member
from consortium_mcp.core.domain.errors import ConfigError, UnknownModel
from consortium_mcp.core.domain.request import MemberSpec
from consortium_mcp.core.domain.text import clean, closest
from consortium_mcp.core.panel.known_models import CURRENT_MODELS, EXTRAS
from consortium_mcp.core.panel.labels import label
from consortium_mcp.core.panel.member_syntax import parse_member, with_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.adapters.models.snapshot import Entry, Snapshot
    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.request import ConsortiumSettings


@dataclass(frozen=True)
class Candidate:
    """A model or a saved consortium, to be a member, an arbiter or the reserve."""

    name: str
    """The model's id, or the consortium's name."""
    missing: str | None = None
    """Why it cannot be called yet, with the remedy; `None` when it is ready."""
    demo: bool = False
    """Too small to weigh arguments."""
    consortium: ConsortiumConfig | None = None
    note: str | None = None
    """What a plan should say of it."""
    supports_tools: bool = True
    """Whether it may use tools; a consortium's members decide."""
    attachment_types: frozenset[str] | None = frozenset()
    """The MIME types of files that it takes; `None` for all, as a consortium's members decide."""
    options: frozenset[str] = frozenset()
    """The names of the options that it has."""


@dataclass(frozen=True)
class Selection:
    """Who takes part in a consultation, as found in the catalogue."""

    members: tuple[Member, ...]
    arbiters: tuple[Candidate, ...]
    """The first one judges; if it fails, the others in turn."""
    reserve: Candidate | None
    """The one that `escalate_to` names."""
    catalogue: Catalogue

    def candidates(self) -> list[Candidate]:
        """Each of them once, sorted by name."""
        names = {member.model for member in self.members} | {each.name for each in self.arbiters}
        names |= {self.reserve.name} if self.reserve else set()
        return [self.catalogue.find(name) for name in sorted(names)]

    def not_ready(self) -> list[str]:
        """What each candidate that is not ready lacks, in a sentence each."""
        return [
            f"{each.name} is not ready: {each.missing}."
            for each in self.candidates()
            if each.missing
        ]


def matching(snapshot: Snapshot, query: str) -> list[Entry]:
    """The models with this text in an id, alias or provider, ready ones first."""
    wanted = query.strip().lower()
    return [
        entry
        for entry in sorted(snapshot.entries.values(), key=lambda entry: not entry.ready)
        if wanted in " ".join((entry.model_id, *entry.aliases, entry.provider)).lower()
    ]


def why_not_here(snapshot: Snapshot, query: str, found: Sequence[Entry]) -> str | None:
    """Why a provider, a program or models of this name are not here, and what to do.

    Args:
        snapshot: llm's models.
        query: the name.
        found: the models that match it, perhaps of another provider.

    Returns:
        `None` where models of the provider are here, or nothing is near the name.
    """
    name = query.strip().lower().removeprefix("llm-").removeprefix("agent/")
    if any(entry.provider == name for entry in snapshot.entries.values()):
        return None
    if name in PROVIDERS:
        return f"{name}: {without_models(snapshot, name)}."
    return None if found else _why_unknown(snapshot, name)


def _why_unknown(snapshot: Snapshot, name: str) -> str | None:
    if hint := snapshot.package_hint(name):
        return hint
    if name in AGENTS:
        return f"The program {name} was not found. Installed and signed in, it is agent/{name}."
    near = closest(name, snapshot.names)
    return f"Near it are {', '.join(near)}." if near else None


PROVIDERS = (*dict.fromkeys((*CURRENT_MODELS, *EXTRAS)),)
"""Those whose plugins are known here, by the name of the plugin without `llm-`."""


def without_models(snapshot: Snapshot, provider: str) -> str:
    """Why a provider has no models, and what to do."""
    plugin = f"llm-{provider}"
    if why := next((w for p, w in snapshot.plugin_errors.items() if provider in p), None):
        return f"no models for now: {why}"
    if plugin in snapshot.plugins:
        return (
            f"{plugin} lists no models. It may need a key (`llm keys set {provider}`) or a "
            "running server"
        )
    return f"no plugin; {how_to_add(plugin)}"


class Catalogue:
    """Finds models and consortiums by name. A model wins over a consortium of the same name.

    Args:
        snapshot: llm's models.
        saved: the saved consortiums, by name.
        keep_unknown: accept an unknown name, as one that is not ready: the user who brings a
            configuration along may install its plugins later.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        saved: Mapping[str, ConsortiumConfig],
        *,
        keep_unknown: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._saved = saved
        self._keep_unknown = keep_unknown
        self._names = frozenset((*snapshot.names, *saved))

    def select(self, base: ConsortiumConfig | None, settings: ConsortiumSettings) -> Selection:
        """Those whom the settings name, and for the rest those in `base`.

        Raises:
            ConfigError: nobody is named.
            InvalidMember: a member does not have the right syntax.
            UnknownModel: nobody has this name.
        """
        if settings.models:
            members = self._members(settings.models, settings.counts)
        elif base is not None and settings.models is None:
            members = base.members
        else:
            raise ConfigError("Name the members in `models`, such as gpt-4o:2.")
        first, others = settings.arbiter, settings.arbiters
        if first is None:
            first = base.arbiter if base else members[0].model
        if others is None:
            others = base.arbiters if base else ()
        reserve = settings.escalate_to or (base.escalate_to if base else None)
        return Selection(
            members,
            tuple(self.find(name) for name in (first, *others)),
            self.find(reserve) if reserve else None,
            self,
        )

    def find(self, name: str) -> Candidate:
        """The model or consortium of this name.

        Raises:
            UnknownModel: there is none; the message lists the closest names.
        """
        if name in self._saved and name not in self._snapshot.names:
            return Candidate(name, consortium=self._saved[name], attachment_types=None)
        try:
            entry = self._snapshot.find(name, self._saved)
        except UnknownModel as error:
            if self._keep_unknown:
                return Candidate(name, missing=str(error).rstrip("."))
            raise
        return Candidate(
            entry.model_id,
            entry.missing,
            entry.demo,
            note=entry.note,
            supports_tools=entry.supports_tools,
            attachment_types=entry.attachment_types,
            options=entry.option_names,
        )

    def _members(
        self, models: Sequence[str | MemberSpec], counts: Sequence[int]
    ) -> tuple[Member, ...]:
        members: list[Member] = []
        specs = [MemberSpec(model=item) if isinstance(item, str) else item for item in models]
        texts = [spec.model for spec in specs]
        if counts:
            texts = with_counts(texts, counts, self._names)
        for spec, text in zip(specs, texts, strict=True):
            candidate, count = self._parse(text)
            members += [
                Member(
                    label=label(len(members) + place),
                    model=candidate.name,
                    system=None if spec.system is None else clean(spec.system),
                    options=spec.options,
                    tier=spec.tier,
                    role=None if spec.role is None else clean(spec.role),
                )
                for place in range(count)
            ]
        return tuple(members)

    def _parse(self, text: str) -> tuple[Candidate, int]:
        """The candidate and the count that `name` or `name:count` stands for."""
        try:
            name, count = parse_member(text, self._names)
        except UnknownModel:
            head, _, tail = text.strip().rpartition(":")
            name = head if head and tail.isdecimal() else text.strip()
            candidate = self.find(name)  # raises the full error, or accepts the name
            return candidate, parse_member(text, {name})[1]
        return self.find(name), count
