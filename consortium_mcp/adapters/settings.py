"""The only module that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import click

from consortium_mcp.adapters.team_settings import TeamSettings, read_team_settings
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import read_age

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

DEFAULT_WAIT_SECONDS = 40.0
"""Below the 60 seconds after which several clients give up on a tool call."""
DEFAULT_WORKER_RUNS = 500
DEPTH = "CONSORTIUM_DEPTH"
"""Set for the agent programs that a consultation starts: how deep in consultations they run."""
DATABASE_URL = "CONSORTIUM_DATABASE_URL"
"""Of a team's database; it has a password, so it is not written into other programs' settings."""
SECRET = "CONSORTIUM_SECRET"  # noqa: S105 (a variable's name)
SECRET_FILE = "CONSORTIUM_SECRET_FILE"  # noqa: S105 (the same)
UserKeysPolicy = Literal["no", "own-first", "own-only"]
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Limits:
    """How many model calls this process makes at once; `None` is no limit."""

    total: int | None = None
    per_provider: int | None = None


@dataclass(frozen=True)
class Settings:
    """Where things are and how long to wait."""

    database: Path
    user_dir: Path
    """llm's own directory: keys, aliases, and our local models."""
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    """How long `consult_consortium` waits before it returns a run that is still working."""
    log_level: str = "WARNING"
    confirm_calls: int | None = None
    """The user is asked first if a plan makes more calls than this; `None`: never asked."""
    limits: Limits = Limits()
    depth: int = 0
    """In how many consultations this process runs, through an agent program that one has asked."""
    acp_agents: tuple[str, ...] = ()
    """Commands of agents that speak the Agent Client Protocol, each perhaps with `NAME=` first."""
    default_models: tuple[str, ...] = ()
    """The members of the panel that is asked when none is named; empty: those that are ready."""

    files: tuple[Path, ...] = ()
    """Folders whose files models may name as attachments or look into."""
    tools: tuple[str, ...] = ()
    """Tools of llm that members may use where their consortium does not say."""
    fetch_urls: bool = False
    """Whether an attached address may be fetched from this machine where its provider does not."""

    database_url: str | None = field(default=None, repr=False)
    """The address of a team's PostgreSQL database, which then takes the place of `database`."""
    team: TeamSettings = field(default_factory=TeamSettings)
    """Of a team's server."""
    worker_runs: int = DEFAULT_WORKER_RUNS
    """Runs at once in one process of a team's server."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What a team's server encrypts with; the first encrypts, every one decrypts."""
    user_keys: UserKeysPolicy = "no"
    """Whether a team's users are asked for with their own keys of providers."""

    keep_runs: timedelta | None = None
    """How old the runs of a team's database get; `None` for no end. So the other two."""
    keep_audit: timedelta | None = None
    keep_ledger: timedelta | None = None

    @property
    def prices(self) -> Path:
        """The user's own prices; see `prices`."""
        return self.user_dir / "consortium-prices.toml"

    @property
    def local_models(self) -> Path:
        """Where `setup-local` keeps the demo model's weights."""
        return self.user_dir / "consortium" / "models"


def from_environment(
    environ: Mapping[str, str] | None = None, *, for_team: bool = False
) -> Settings:
    """Read `CONSORTIUM_*` and `LLM_USER_PATH`.

    Args:
        environ: the variables; by default those of this process.
        for_team: whether the database may be a team's. `llm` and Python use their user's own.

    Raises:
        ConfigError: a variable has an invalid value; the message names it.
    """
    env = os.environ if environ is None else environ
    user_dir = Path(env.get("LLM_USER_PATH") or click.get_app_dir("io.datasette.llm"))
    database = env.get("CONSORTIUM_DB")
    return Settings(
        database=Path(database).expanduser() if database else user_dir / "consortium.db",
        database_url=_database_url(env) if for_team else None,
        team=read_team_settings(env) if for_team else TeamSettings(),
        secrets=_secrets(env) if for_team else (),
        user_keys=_user_keys(env) if for_team else "no",
        keep_runs=_age(env, "CONSORTIUM_KEEP_RUNS"),
        keep_audit=_age(env, "CONSORTIUM_KEEP_AUDIT"),
        keep_ledger=_age(env, "CONSORTIUM_KEEP_LEDGER"),
        user_dir=user_dir,
        wait_seconds=_seconds(env, "CONSORTIUM_WAIT_SECONDS", DEFAULT_WAIT_SECONDS),
        log_level=_log_level(env),
        confirm_calls=_count(env, "CONSORTIUM_CONFIRM_CALLS"),
        default_models=_list(env, "CONSORTIUM_MODELS"),
        acp_agents=_list(env, "CONSORTIUM_ACP"),
        depth=_count(env, DEPTH) or 0,
        worker_runs=_count(env, "CONSORTIUM_WORKER_RUNS") or DEFAULT_WORKER_RUNS,
        files=_folders(env),
        tools=_list(env, "CONSORTIUM_TOOLS"),
        fetch_urls=env.get("CONSORTIUM_FETCH_URLS", "").lower() in {"1", "true", "yes", "on"},
        limits=Limits(
            total=_count(env, "CONSORTIUM_MAX_CONCURRENCY"),
            per_provider=_count(env, "CONSORTIUM_MAX_PER_PROVIDER"),
        ),
    )


_NOT_PASSED_ON = {DEPTH, DATABASE_URL, SECRET, SECRET_FILE}
_PREFIXES = ("LLM_USER_PATH", "CONSORTIUM_")
"""Of the variables that hold paths and settings, never keys: those come from llm's key store."""


def for_another_program(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our variables of this shell, as a client must set them for a server that it starts.

    Paths are absolute, as the client starts it in a folder of its own.
    """
    env = os.environ if environ is None else environ
    found = {
        name: value
        for name, value in env.items()
        if name.startswith(_PREFIXES) and value and name not in _NOT_PASSED_ON
    }
    if path := found.get("LLM_USER_PATH"):
        found["LLM_USER_PATH"] = str(Path(path).absolute())  # llm expands no `~` either
    if path := found.get("CONSORTIUM_DB"):
        found["CONSORTIUM_DB"] = str(Path(path).expanduser().absolute())
    if folders := _folders(found):
        found["CONSORTIUM_FILES"] = os.pathsep.join(str(each) for each in folders)
    return found


def _database_url(env: Mapping[str, str]) -> str | None:
    url = env.get(DATABASE_URL)
    if not url:
        return None
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigError(  # without its value, as a password may be in it
            "CONSORTIUM_DATABASE_URL is no address of PostgreSQL. Write it as "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE. For a file, set CONSORTIUM_DB."
        )
    return url


def _secrets(env: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `CONSORTIUM_SECRET`, or else of the file that `CONSORTIUM_SECRET_FILE` names."""
    text = env.get(SECRET, "")
    if not text and (name := env.get(SECRET_FILE)):
        try:
            text = Path(name).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ConfigError(f"{SECRET_FILE} is {name}, which cannot be read: {why}.") from error
    return tuple(each for part in text.replace("\n", ",").split(",") if (each := part.strip()))


def _user_keys(env: Mapping[str, str]) -> UserKeysPolicy:
    policy = env.get("CONSORTIUM_USER_KEYS") or "no"
    if policy not in get_args(UserKeysPolicy):
        choices = ", ".join(get_args(UserKeysPolicy))
        raise ConfigError(f"CONSORTIUM_USER_KEYS is {policy!r}; choose one of {choices}.")
    return cast("UserKeysPolicy", policy)


def _folders(env: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of `CONSORTIUM_FILES`, separated as in `PATH`."""
    names = (each.strip() for each in env.get("CONSORTIUM_FILES", "").split(os.pathsep))
    return tuple(Path(each).expanduser().absolute() for each in names if each)


def _list(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(item for each in env.get(name, "").split(",") if (item := each.strip()))


def _count(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name)
    if not text:
        return None
    if not text.isdecimal() or int(text[:9]) < 1:
        raise ConfigError(f"{name} is {text!r}; it must be a whole number of 1 or more, or unset.")
    return int(text)


def _age(env: Mapping[str, str], name: str) -> timedelta | None:
    text = env.get(name)
    if not text:
        return None
    if not (age := read_age(text, "hdw")):  # not minutes: who writes 3m here may mean months
        raise ConfigError(f"{name} is {text!r}; it must be an age such as 90d or 26w, or unset.")
    return age


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise ConfigError(f"{name} is {text!r}; it must be a number of seconds, such as 40, or 0.")
    return seconds


def _log_level(env: Mapping[str, str]) -> str:
    level = (env.get("CONSORTIUM_LOG") or "WARNING").upper()
    if level not in LOG_LEVELS:
        raise ConfigError(f"CONSORTIUM_LOG is {level!r}; choose one of {', '.join(LOG_LEVELS)}.")
    return level
