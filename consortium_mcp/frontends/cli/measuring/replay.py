"""`consortium-mcp replay`: measure a panel and a strategy on recorded answers."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import anyio
import click
from pydantic import ValidationError

from consortium_mcp.core.confidence.weights import weights_of_tiers
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member, Tier
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.object_replay import (
    Metric,
    ObjectSummary,
    objects_as_text,
    replay_objects,
)
from consortium_mcp.core.evaluation.objects import ObjectRecording
from consortium_mcp.core.evaluation.recordings import Recording
from consortium_mcp.core.evaluation.replay import (
    Measures,
    Summary,
    remarks,
    replay,
    ways,
    what_was_asked,
)
from consortium_mcp.core.panel.labels import label
from consortium_mcp.frontends.cli.measuring.suggest import REST, suggestions
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.plots import (
    PlotPoint,
    accuracy_against_calls,
    reliability_diagram,
)
from consortium_mcp.services.strategy_check import checked_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Line = TypeVar("Line", Recording, ObjectRecording)


@dataclass(frozen=True)
class ReplayOptions:
    """The panel, the strategy and the recordings to replay."""

    panel: Sequence[str]
    strategy: str = "vote"
    sampling: str = "full"
    escalate_to: str | None = None
    arbiter: str | None = None
    tiers: Sequence[tuple[str, str]] = ()
    """(model, tier); `*` for all members that are not named."""
    where: Sequence[tuple[str, str]] = ()
    """(field, value) pairs that a recording must have."""
    metric: Metric = "em"
    """What recorded objects are measured by."""


def run(data: Path, options: ReplayOptions, folder: Path, *, as_json: bool = False) -> None:
    """Replay, print the figures, and save them with two plots.

    Raises:
        ConfigError: the file or the options cannot be used; the message says why.
    """
    if _holds_objects(data):
        config = configuration(options)
        tasks = [each for each in read_objects(data) if _matches(each, options.where)]
        weights = weights_of_tiers({member.model: member.tier for member in config.members})
        found, each_task = replay_objects(tasks, weights, options.metric)
        _print(found, as_json=as_json)
        title = f"fields agreed by {len(weights)}, {found.questions} tasks"
        points = [point for each in each_task for point in each.points]
        _save(folder, found, {"reliability.svg": reliability_diagram(metrics.bins(points), title)})
        return
    recordings = [each for each in read(data) if _matches(each, options.where)]
    summary, outcomes = anyio.run(replay, recordings, configuration(options))
    _print(summary, as_json=as_json)
    points = [(outcome.confidence, outcome.right) for outcome in outcomes]
    title = f"{options.strategy} of {len(options.panel)}, {summary.questions} questions"
    drawn = {
        "reliability.svg": reliability_diagram(metrics.bins(points), title),
        "accuracy.svg": accuracy_against_calls(_plot_points(summary), title),
    }
    _save(folder, summary, drawn)


def _print(summary: Summary | ObjectSummary, *, as_json: bool) -> None:
    """Print the figures: as JSON, drawn where a person looks, or as text."""
    if as_json:
        click.echo(summary.model_dump_json(indent=2))
    elif on := screen():
        from consortium_mcp.frontends.terminal.replay_tables import show_summary  # noqa: PLC0415 (where a person looks)

        show_summary(on, summary)
    elif isinstance(summary, Summary):
        click.echo(as_text(summary))
    else:
        click.echo(objects_as_text(summary))


def _save(folder: Path, summary: Summary | ObjectSummary, drawn: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {"replay.json": summary.model_dump_json(indent=2) + "\n", **drawn}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(f"Saved {', '.join(files)} in {folder}.", err=True)


def read(path: Path) -> list[Recording]:
    """The recordings in a file: JSON lines, gzipped if its name ends in `.gz`.

    Raises:
        ConfigError: the file cannot be read, or a line is not a recording.
    """
    return _read(path, Recording, "question_id, gold, and answers or texts")


def read_objects(path: Path) -> list[ObjectRecording]:
    """The recorded objects in a file; as `read`."""
    return _read(path, ObjectRecording, "id, schema, gold and answers")


def _read(path: Path, kind: type[Line], has: str) -> list[Line]:
    try:
        return [_line(text, kind, f"{path}, line {n}", has) for n, text in _lines(path)]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    open_file = gzip.open if path.suffix == ".gz" else open
    with open_file(path, "rt", encoding="utf-8") as lines:
        yield from ((n, line) for n, line in enumerate(lines, start=1) if line.strip())


def _line(text: str, kind: type[Line], where: str, has: str) -> Line:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise ConfigError(
            f"{where}: {place}: {first['msg']}. A line is a JSON object with {has}; see "
            "examples/replay.jsonl."
        ) from error


def _holds_objects(path: Path) -> bool:
    """Whether the first line has a schema, as recorded objects have."""
    try:
        first = next(_lines(path), (1, "{}"))[1]
        return "schema" in json.loads(first)
    except (OSError, EOFError, ValueError, TypeError):
        return False  # `read` says what is wrong


def _matches(recording: Recording | ObjectRecording, where: Sequence[tuple[str, str]]) -> bool:
    extra = recording.model_extra or {}
    return all(str(extra.get(name)) == value for name, value in where)


def configuration(options: ReplayOptions) -> ConsortiumConfig:
    """The consortium of recorded models that these options describe.

    It has one iteration, because a second one was not recorded.

    Raises:
        ConfigError: as `strategy_check.checked_strategy`; or a tier is unknown or names no member.
    """
    tiers = dict(options.tiers)
    if others := tiers.keys() - {REST, *options.panel}:
        raise ConfigError(f"A tier is given to {', '.join(sorted(others))}, who is not a member.")
    if unknown := set(tiers.values()) - {*get_args(Tier)}:
        raise ConfigError(
            f"There is no tier {', '.join(sorted(unknown))}; "
            f"choose one of {', '.join(get_args(Tier))}."
        )
    members = [
        {"label": label(place), "model": model, "tier": tiers.get(model, tiers.get(REST))}
        for place, model in enumerate(options.panel)
    ]
    config = ConsortiumConfig(
        members=tuple(Member.model_validate(member) for member in members),
        arbiter=options.arbiter or options.panel[0],
        strategy=options.strategy,
        sampling=options.sampling,  # type: ignore[arg-type] # checked by the configuration itself
        escalate_to=options.escalate_to,
        max_iterations=1,
    )
    checked_strategy(config)
    return config


def as_text(summary: Summary) -> str:
    """The figures as text."""
    rows = ways(summary)
    width = max(len(name) for name in rows)
    head = f"{'':{width}}  accuracy  95 %          calls    ECE  Brier  AUROC  acc@80  cov@95"
    lines = [what_was_asked(summary), "", head]
    lines += [f"{name:{width}}  {_row(measures)}" for name, measures in rows.items()]
    return "\n".join([*lines, "", *remarks(summary)])


def _row(m: Measures) -> str:
    low, high = m.accuracy_interval
    auroc = "    –" if m.auroc is None else f"{m.auroc:5.3f}"
    return (
        f"{m.accuracy:7.1%}   {low:.1%}–{high:.1%}  {m.calls:5.2f}  {m.ece:5.3f}  {m.brier:5.3f}  "
        f"{auroc}  {m.accuracy_at_80_coverage:6.1%}  {m.coverage_at_95_accuracy:6.1%}"
    )


def _plot_points(summary: Summary) -> list[PlotPoint]:
    strategy = str(summary.settings["strategy"])
    ways = {**summary.singles, "equal vote": summary.equal_vote, strategy: summary.measured}
    named = {summary.best_single, "equal vote", strategy}
    return [
        PlotPoint(
            name,
            each.calls,
            each.accuracy,
            each.accuracy_interval,
            named=name in named,
            stands_out=name == strategy,
        )
        for name, each in ways.items()
    ]


def _pairs(
    _ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Parse `name=value` options."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value!r} must be written NAME=VALUE.", param=option)
    return [(value.rpartition("=")[0], value.rpartition("=")[2]) for value in values]


def _names(_ctx: click.Context, option: click.Parameter, value: str | None) -> list[str]:
    """Parse names separated by commas."""
    names = [name.strip() for name in (value or "").split(",") if name.strip()]
    if value is not None and not names:
        raise click.BadParameter("name at least one model.", param=option)
    return names


@click.command("replay")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--panel", callback=_names, help="Recorded models: a,b,c.")
@click.option(
    "--suggest",
    "largest",
    type=click.IntRange(min=1),
    metavar="K",
    help="Find the best panels of up to K of these models, or of all.",
)
@click.option(
    "--price",
    "prices",
    multiple=True,
    callback=_pairs,
    metavar="MODEL=USD",
    help="What a call costs, for --suggest; `*=0.01` for all that are not named.",
)
@click.option("--strategy", default="vote", show_default=True)
@click.option(
    "--sampling", default="full", show_default=True, help="full, adaptive, thrifty or smart."
)
@click.option("--escalate-to", help="Asked only if the first wave is not unanimous.")
@click.option("--arbiter", help="The recorded model that judges.  [default: the first member]")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    callback=_pairs,
    metavar="MODEL=TIER",
    help="strong, mid or light; `*=light` for all that are not named.",
)
@click.option(
    "--where",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=VALUE",
    help="Only questions with this value, such as task=math.",
)
@click.option(
    "--metric",
    type=click.Choice(get_args(Metric)),
    default="em",
    show_default=True,
    help="Of recorded objects: equal values, or their words' F1.",
)
@click.option(
    "--save",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("replay"),
    show_default=True,
    help="Where replay.json and the plots go.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    data: Path,
    folder: Path,
    largest: int | None,
    prices: Sequence[tuple[str, str]],
    *,
    as_json: bool,
    **options: Any,  # noqa: ANN401 (the options, by name)
) -> None:
    """Measure a panel and a strategy on recorded answers, without a network or a key.

    DATA holds a question a line as JSON; see examples/replay.jsonl. Where a line has a schema, its
    answers are objects, and they are agreed field by field.
    """
    if largest is None and not options["panel"]:
        raise click.UsageError("Name a --panel, or let --suggest find one.")
    with command_errors():
        if largest is None:
            run(data, ReplayOptions(**options), folder, as_json=as_json)
        else:
            matching = [each for each in read(data) if _matches(each, options["where"])]
            suggestions(matching, options["panel"], largest, prices, as_json=as_json)
