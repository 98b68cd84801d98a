"""What other programs' own consolidation makes of recorded objects, offline and without a key.

Run it by the Python of an environment that holds the program, never ours; the standard library and
the program are all it needs. `bench.structured` scores what it prints:

    uv venv peer && uv pip install --python peer k-llms==0.0.55  # or extrai-workflow==1.1.0
    peer/bin/python -m bench.consolidated k-llms sob_image_dev.jsonl.gz > k-llms.jsonl
    python -m bench.structured sob_image_dev.jsonl.gz k-llms.jsonl extrai.jsonl

- `k-llms`: `consensus_values`, which is what its client calls, with its settings but one: texts are
  compared by Levenshtein, its own way where there are no embeddings, as these need a key. A second
  row aligns the lists first by `recursive_list_alignments`, which the package has and its client
  does not call. Its other way, a model that writes each text, is a call and was not run. Importing
  the package whole needs a release of retab that it does not name, for types only; they are left
  out.
- `extrai`: `normalize_json_revisions` and `JSONConsensus.get_consensus` as its `ConsensusRunner`
  runs them, with its threshold, 0.51: fields without a majority are left out, its default; a second
  row has its resolver `prefer_most_common_resolver`. Importing its `core` fetches a price list, so
  its modules are imported one by one. Its counting of entities asks models and was not run.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bench.object_panels import PANELS

if TYPE_CHECKING:
    from collections.abc import Callable

    Consolidate = Callable[[list[dict[str, Any]]], object]


def main(program: str, data: Path) -> None:
    """Print a line for each panel, task and way: `[panel, id, way, object or null]`."""
    ways = {"k-llms": k_llms, "extrai": extrai}[program]()
    with gzip.open(data, "rt", encoding="utf-8") as file:
        tasks = [json.loads(line) for line in file]
    for panel, models in PANELS.items():
        for task in tasks:
            answers = [task["answers"].get(model) for model in models]
            objects = [each for each in answers if isinstance(each, dict)]
            for way, consolidate in ways.items():
                with contextlib.redirect_stdout(sys.stderr):
                    found = consolidate(objects)
                sys.stdout.write(json.dumps([panel, task["id"], way, found]) + "\n")


def k_llms() -> dict[str, Consolidate]:
    """The ways of k-llms 0.0.55."""
    bare("k_llms")
    for name in ("utils", "types", "types.documents"):
        sys.modules[f"retab.{name}"] = ModuleType(name)
    sys.modules["retab"] = ModuleType("retab")
    for name in ("utils.json_schema", "types.documents.extractions"):
        sys.modules[f"retab.{name}"] = _Anything(name)
    consensus = importlib.import_module("k_llms.utils.consensus_utils")
    settings = consensus.ConsensusSettings(string_similarity_method="levenshtein")

    def no_embeddings(texts: list[str]) -> list[list[float]]:
        raise RuntimeError(f"Embeddings of {len(texts)} texts need a key.")

    def by_index(objects: list[dict[str, Any]]) -> object:
        return consensus.consensus_values(objects, settings, no_embeddings)[0]

    def aligned(objects: list[dict[str, Any]]) -> object:
        lists = consensus.recursive_list_alignments(
            objects, "levenshtein", no_embeddings, settings.min_support_ratio
        )
        return by_index(lists[0])

    return {"k-llms": by_index, "k-llms, lists aligned": aligned}


def extrai() -> dict[str, Consolidate]:
    """The ways of extrai 1.1.0."""
    for name in ("extrai", "extrai.core", "extrai.utils"):
        bare(name)
    alignment = importlib.import_module("extrai.utils.alignment_utils")
    consensus = importlib.import_module("extrai.core.json_consensus")
    resolvers = importlib.import_module("extrai.core.conflict_resolvers")

    def by(resolver: object) -> Consolidate:
        agreed = consensus.JSONConsensus(0.51, resolver)

        def consolidate(objects: list[dict[str, Any]]) -> object:
            revisions = alignment.normalize_json_revisions([[each] for each in objects])
            found = agreed.get_consensus(revisions)[0]
            return found[0] if found else None

        return consolidate

    return {
        "extrai": by(resolvers.default_conflict_resolver),
        "extrai, most common": by(resolvers.prefer_most_common_resolver),
    }


class _Anything(ModuleType):
    """A module of names that are imported and not used."""

    def __getattr__(self, name: str) -> type:
        return object


def bare(name: str) -> None:
    """Let a package's modules be imported without what its `__init__` does."""
    spec = find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit(f"{name} is not installed here: see the head of this file.")
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
