from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

# Before llm is first imported: the plugins installed here are none of the tests' business.
os.environ["LLM_LOAD_PLUGINS"] = ""

import anyio
import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from consortium_mcp.adapters.local.weights import SetupError, fetch
from consortium_mcp.adapters.settings import Settings
from tests.support.databases import DatabaseOfTest
from tests.support.postgres import NoServer, Server, running_server
from tests.support.programs import forking

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
# Imported here and not at its first use: pytest compiles what it imports, and beside a thread that
# does so too, CPython 3.11 may fail (https://github.com/python/cpython/issues/106905).
_ = anyio.open_process

CHECKOUT = pytest.mark.skipif(
    not (ROOT / "consortium_mcp").is_dir(), reason="the wheel is under test, without its sources"
)

hypothesis_settings.register_profile("ci", max_examples=300, deadline=None)
hypothesis_settings.register_profile("nightly", max_examples=20_000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test that forgets to ask for `settings` reaches a folder of the tests', too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CONSORTIUM_")]:
            patch.delenv(name)
        patch.setenv("LLM_USER_PATH", str(tmp_path_factory.mktemp("user")))
        yield


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An llm user directory and a database of the test's own, without any key."""
    for name in [name for name in os.environ if name.endswith("_KEY")]:
        monkeypatch.delenv(name)
    user_dir = tmp_path / "llm"
    monkeypatch.setenv("LLM_USER_PATH", str(user_dir))
    return Settings(database=user_dir / "consortium.db", user_dir=user_dir, wait_seconds=30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for this process's tests; without its programs a skip (not in CI)."""
    try:
        with running_server() as server:
            server.make_template()
            yield server
    except NoServer as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Tests that ask for a `database` run on both kinds."""
    return str(request.param)


@pytest.fixture
def database(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[DatabaseOfTest]:
    """A database of the test's own."""
    path = tmp_path / "llm" / "consortium.db"
    if database_kind == "sqlite":
        yield DatabaseOfTest(path)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield DatabaseOfTest(path, url)


@pytest.fixture(scope="session")
def local_models(pytestconfig: pytest.Config) -> Path:
    """The real demo weights, kept in pytest's cache; without them a skip (not in CI)."""
    folder = pytestconfig.cache.mkdir("local_models")
    try:
        with FileLock(folder / ".lock"):  # several processes may run these tests
            fetch(folder, lambda _have, _total: None)
    except SetupError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the local model's weights cannot be fetched: {error}")
    return folder


@pytest.fixture(scope="session")
def forks() -> Iterator[dict[str, str]]:
    """The variables with which `programs.program` starts forks."""
    with forking() as variables:
        yield variables


@pytest.fixture(scope="session")
def environment(forks: dict[str, str]) -> dict[str, str]:
    """A user's environment without keys or anything of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_KEY") and not name.startswith(("CONSORTIUM_", "LLM_"))
    }
    return kept | forks | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def child_environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same, on directories of the test's own."""
    return environment | {"LLM_USER_PATH": str(tmp_path / "llm")}


@pytest.fixture
def environment_with_models(
    child_environment: dict[str, str], local_models: Path
) -> dict[str, str]:
    """The same, with the demo weights in their place."""
    models = Path(child_environment["LLM_USER_PATH"]) / "consortium" / "models"
    models.parent.mkdir(parents=True)
    models.symlink_to(local_models, target_is_directory=True)
    return child_environment
