from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import llm
import pytest

from consortium_mcp.adapters.installation import how_to_add
from consortium_mcp.adapters.models.discovery import take_snapshot
from consortium_mcp.adapters.models.plugin_calls import PluginCall
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.models.snapshot import Snapshot
from consortium_mcp.core.domain.errors import UnknownModel
from tests.support.fake_models import FakeAsync, FakeSync, models, plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.usefixtures("settings")


def test_llms_own_models_are_found_by_id_and_alias_and_say_what_they_lack() -> None:
    entry = take_snapshot().find("4o")
    assert entry.model_id == "gpt-4o"
    assert entry.provider == "openai"
    assert entry.async_model is not None
    assert not entry.ready
    assert "llm keys set openai" in str(entry.missing)
    assert "OPENAI_API_KEY" in str(entry.missing)


def test_a_key_in_the_environment_or_the_store_makes_a_model_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    assert take_snapshot().find("gpt-4o").ready
    monkeypatch.delenv("OPENAI_API_KEY")
    settings.user_dir.mkdir(exist_ok=True)
    (settings.user_dir / "keys.json").write_text(json.dumps({"openai": "made-up"}))
    assert take_snapshot().find("gpt-4o").ready


def test_a_broken_key_store_is_said(settings: Settings) -> None:
    settings.user_dir.mkdir(exist_ok=True)
    (settings.user_dir / "keys.json").write_text("{")
    assert "key store cannot be read" in str(take_snapshot().find("gpt-4o").missing)


def test_the_users_aliases_work_and_a_broken_file_of_them_is_named(settings: Settings) -> None:
    settings.user_dir.mkdir(exist_ok=True)
    (settings.user_dir / "aliases.json").write_text(json.dumps({"mine": "gpt-4o"}))
    assert take_snapshot().find("mine").model_id == "gpt-4o"
    (settings.user_dir / "aliases.json").write_text("{")
    assert "aliases.json" in take_snapshot().plugin_errors


def test_one_plugin_that_fails_is_named_and_the_others_stand() -> None:
    def broken(_add: Callable[..., None]) -> None:
        raise ConnectionError("no route")

    with plugin("good", models(FakeAsync("good-1", "x"))), plugin("llm-broken", broken):
        snapshot = take_snapshot()
    assert snapshot.find("good-1").provider == "good"
    assert snapshot.plugin_errors == {"broken": "ConnectionError: no route"}
    with pytest.raises(UnknownModel, match=r"failed to load: broken"):
        snapshot.find("broken-1")


def test_a_plugin_that_hangs_is_named_and_delays_nobody_for_long() -> None:
    forever = threading.Event()
    asked: list[int] = []

    def hang(add: Callable[..., None]) -> None:
        asked.append(1)
        forever.wait(60)
        models(FakeAsync("late-1", "x"))(add)

    with plugin("slow", hang):
        for _ in range(2):
            snapshot = take_snapshot(seconds=0.05)
            assert snapshot.plugin_errors["slow"].startswith("it is slow to list its models")
            assert "gpt-4o" in snapshot.entries
        forever.set()
        assert "late-1" in take_snapshot(seconds=60).entries
    assert asked == [1]


@pytest.mark.anyio
async def test_a_model_that_is_named_waits_for_no_other_plugin() -> None:
    ended = threading.Event()

    def hang(_add: Callable[..., None]) -> None:
        ended.wait(60)

    with plugin("hanging", hang), plugin("quick", models(FakeAsync("m", "x"))):
        try:
            began = time.monotonic()
            named = await Registry().snapshot(enough=lambda found: "m" in found.entries)
            waited_for_one = time.monotonic() - began
            began = time.monotonic()
            missing = await Registry().snapshot(enough=lambda found: "no-such" in found.entries)
            waited_for_all = time.monotonic() - began
        finally:
            ended.set()
    assert named.slow
    assert missing.slow
    assert "m" in missing.entries
    assert waited_for_one < waited_for_all / 2


def test_one_attempt_is_waited_for_only_so_long_however_often_it_is_asked_after() -> None:
    forever = threading.Event()
    attempt = PluginCall(lambda: forever.wait(60), patience=0.05)
    began = time.monotonic()
    assert not any(attempt.ended_within(0.05) for _ in range(2000))
    assert time.monotonic() - began < 60  # 100 without an end to its patience
    forever.set()


def test_several_threads_may_ask_at_once() -> None:
    def listing(add: Callable[..., None]) -> None:
        threading.Event().wait(0.1)  # long enough for all of them to be here, if they could
        models(FakeAsync("some-1", "x"))(add)

    with plugin("some", listing), concurrent.futures.ThreadPoolExecutor(8) as threads:
        for snapshot in threads.map(lambda _: take_snapshot(), range(8)):
            assert "some-1" in snapshot.entries
            assert snapshot.plugin_errors == {}


def test_a_plugin_that_ends_the_program_ends_only_itself() -> None:
    def leave(_add: Callable[..., None]) -> None:
        sys.exit("bye")

    with plugin("leaving", leave):
        assert take_snapshot().plugin_errors == {"leaving": "SystemExit: bye"}


def test_what_a_plugin_registered_before_it_failed_is_kept() -> None:
    def half(add: Callable[..., None]) -> None:
        add(FakeSync("half-1", "x"))
        add(None)

    with plugin("half", half):
        snapshot = take_snapshot()
    assert "half-1" in snapshot.entries
    assert "half" in snapshot.plugin_errors


def test_hooks_may_ask_for_less_than_llm_offers() -> None:
    class Old:
        @llm.hookimpl
        def register_models(self, register: Callable[..., None]) -> None:
            register(FakeSync("old-1", "x"), aliases=("old",))

    old = Old()
    llm.plugins.pm.register(old, name="old")
    try:
        assert take_snapshot().find("old").sync_model is not None
    finally:
        llm.plugins.pm.unregister(old)


def test_the_last_registration_wins_a_clash_as_in_llm() -> None:
    first, second = FakeAsync("clash", "1"), FakeAsync("clash", "2")
    with plugin("one", models(first)), plugin("two", models(second)):
        assert take_snapshot().find("clash").async_model is llm.get_async_model("clash")


def test_an_unknown_id_of_a_known_kind_names_its_plugin() -> None:
    with pytest.raises(UnknownModel, match="llm-anthropic"):
        take_snapshot().find("claude-opus-9")


def test_a_model_may_say_itself_what_it_lacks() -> None:
    fake = FakeAsync("needy", "x", consortium_missing=lambda: "weights", consortium_demo=True)
    with plugin("needy", models(fake)):
        entry = take_snapshot().find("needy")
    assert entry.missing == "weights"
    assert entry.demo


@pytest.mark.anyio
async def test_plugins_are_asked_once_until_told_otherwise() -> None:
    asked: list[int] = []

    def counting(add: Callable[..., None]) -> None:
        asked.append(1)
        models(FakeAsync("counted", "x"))(add)

    registry = Registry()
    with plugin("counting", counting):
        for _ in range(3):
            await registry.snapshot()
        assert len(asked) == 1
        await registry.snapshot(refresh=True)
        assert len(asked) == 2


PLUGINS = {
    "cannot_import": "import a_module_that_does_not_exist",
    "leaves": "import sys; sys.exit('bye')",
    "slow": "import pathlib, time\nwhile not pathlib.Path(__file__ + '.go').exists():\n"
    "    time.sleep(0.01)\nimport llm\n"
    "@llm.hookimpl\ndef register_models(register):\n    register(Late())\n"
    "class Late(llm.Model):\n    model_id = 'late-1'\n    def execute(self, *_): pass\n",
}


def test_plugins_that_cannot_be_imported_or_not_yet_are_named_and_the_others_stand(
    tmp_path: Path, settings: Settings
) -> None:
    for name, source in PLUGINS.items():
        (tmp_path / f"{name}.py").write_text(source)
        info = tmp_path / f"llm_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: llm-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[llm]\nllm-{name} = {name}\n")
    script = (
        "import pathlib, sys\n"
        "from consortium_mcp.adapters.models.discovery import take_snapshot\n"
        "snapshot = take_snapshot(seconds=0.2)\n"
        "assert 'gpt-4o' in snapshot.entries\n"
        "print(snapshot.plugin_errors)\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "assert 'late-1' in take_snapshot(seconds=60).entries\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "LLM_LOAD_PLUGINS"}
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "slow.py.go")],
        env=environment | {"PYTHONPATH": paths, "LLM_USER_PATH": str(settings.user_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr
    assert "'llm-cannot_import': \"ModuleNotFoundError: No module named" in child.stdout
    assert "'llm-leaves': 'SystemExit: bye'" in child.stdout
    assert "'llm-slow': 'it is slow to load" in child.stdout


def test_a_model_is_known_as_its_vendor_spells_it_where_that_is_clear() -> None:
    with plugin("one", models(FakeAsync("vendor/new-5", "x"), FakeAsync("vendor/old-4", "x"))):
        assert take_snapshot().find("new-5").model_id == "vendor/new-5"
        router = models(FakeAsync("router/vendor/new-5", "x"))
        several = pytest.raises(UnknownModel, match="name one of router/vendor/new-5, vendor/new")
        with plugin("two", router), several:
            take_snapshot().find("new-5")


def test_an_alias_of_a_missing_model_says_which(settings: Settings) -> None:
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    (settings.user_dir / "aliases.json").write_text('{"best": "vendor/gone"}', encoding="utf-8")
    with pytest.raises(UnknownModel, match="'best' is your alias of 'vendor/gone'"):
        take_snapshot().find("best")


def test_readiness_is_not_guessed_where_a_plugin_finds_its_own_credentials() -> None:
    own = FakeSync("own", "x", needs_key="own")
    with plugin("aws", lambda add: add(own)):
        entry = take_snapshot().find("own")
    assert entry.missing is None
    assert not entry.ready
    assert "may need none" in str(entry.readiness.doubt)


def test_a_plugin_that_signs_in_by_itself_is_not_said_to_be_ready() -> None:
    with plugin("llm-bedrock-claude", models(FakeAsync("own", "x"))):
        entry = take_snapshot().find("own")
    assert entry.missing is None
    assert not entry.ready
    assert "signs in by itself" in str(entry.readiness.doubt)


def test_an_openai_model_at_an_address_of_this_machine_is_served_nearby(
    settings: Settings,
) -> None:
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    (settings.user_dir / "extra-openai-models.yaml").write_text(
        '- model_id: mine\n  model_name: m\n  api_base: "http://localhost:8000/v1"\n'
        '- model_id: far\n  model_name: m\n  api_base: "https://models.example/v1"\n',
        encoding="utf-8",
    )
    found = take_snapshot().entries
    assert found["mine"].served_nearby
    assert found["mine"].ready
    assert not found["far"].served_nearby


def test_plugins_list_their_models_at_once() -> None:
    meeting = threading.Barrier(3, timeout=60)

    def lists(name: str) -> Callable[..., None]:
        def register(add: Callable[..., None]) -> None:
            meeting.wait()  # passes only if all three are listing
            add(FakeSync(name, "x"))

        return register

    with plugin("a", lists("m-a")), plugin("b", lists("m-b")), plugin("c", lists("m-c")):
        assert {"m-a", "m-b", "m-c"} <= take_snapshot(seconds=60).entries.keys()


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ({}, f"llm-anthropic, which is not installed: {how_to_add('llm-anthropic')}."),
        ({"llm-anthropic": "0.30"}, "llm-anthropic, which brings ids like this, is installed"),
    ],
)
def test_an_unknown_id_leads_to_its_package_and_says_whether_that_is_there(
    plugins: dict[str, str], said: str
) -> None:
    with pytest.raises(UnknownModel) as refused:
        Snapshot({}, {}, plugins=plugins).find("claude-x")
    assert said in str(refused.value)
