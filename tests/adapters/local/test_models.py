"""The demo members as llm sees them, on the real weights."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import llm
import pydantic
import pytest

from consortium_mcp.adapters.local import models as demo
from consortium_mcp.adapters.settings import Settings
from consortium_mcp.frontends.llm import plugin

if TYPE_CHECKING:
    from pathlib import Path

TAGS = "End with <final_answer>…</final_answer>."


@pytest.fixture
def here(settings: Settings, local_models: Path) -> Settings:
    settings.local_models.parent.mkdir(parents=True)
    settings.local_models.symlink_to(local_models, target_is_directory=True)
    return settings


@pytest.mark.usefixtures("settings")
def test_the_plugin_registers_two_members_sync_and_async() -> None:
    found: list[tuple[llm.Model, llm.AsyncModel]] = []
    plugin.register_models(lambda *pair: found.append(pair), [])
    assert [m.model_id for m, _ in found] == ["smollm2-chat", "smollm2-few-shot"]
    assert [m.model_id for _, m in found] == ["smollm2-chat", "smollm2-few-shot"]


@pytest.mark.usefixtures("settings")
def test_without_weights_the_remedy_is_named_and_not_a_crash() -> None:
    model, _ = demo.demo_models()[0]
    assert "setup-local" in str(model.consortium_missing())
    with pytest.raises(llm.ModelError, match="setup-local"):
        model.prompt("What is the capital of Japan?").text()


@pytest.mark.local_model
@pytest.mark.usefixtures("here")
def test_both_members_answer_for_real_and_count_their_tokens() -> None:
    for model, _ in demo.demo_models():
        assert model.consortium_missing() is None
        response = model.prompt("What is the capital of France?", system=TAGS)
        text = response.text()
        assert "<final_answer>Paris</final_answer>" in text
        assert response.usage().input > 0  # type: ignore[operator]
        assert response.usage().output > 0  # type: ignore[operator]
        assert "<final_answer>" not in model.prompt("What is the capital of France?").text()


@pytest.mark.local_model
@pytest.mark.anyio
@pytest.mark.usefixtures("here")
async def test_parallel_async_calls_are_safe() -> None:
    answers: list[str] = []

    async def ask(model: llm.AsyncModel) -> None:
        answers.append(await model.prompt("What is the capital of France?").text())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            for _, model in demo.demo_models():
                group.start_soon(ask, model)
    assert len(answers) == 6
    assert all("Paris" in answer for answer in answers)


class City(pydantic.BaseModel):
    city: str = pydantic.Field(max_length=20)


@pytest.mark.local_model
@pytest.mark.usefixtures("here")
def test_a_schema_is_kept_to() -> None:
    model, _ = demo.demo_models()[1]
    found = json.loads(model.prompt("What is the capital of France?", schema=City).text())
    assert set(found) == {"city"}
    choice = {"type": "object", "properties": {"answer": {"enum": ["Berlin", "Paris"]}}}
    text = model.prompt("What is the capital of France?", schema=choice).text()
    assert json.loads(text) == {"answer": "Paris"}


@pytest.mark.local_model
@pytest.mark.usefixtures("here")
def test_a_prompt_longer_than_the_context_is_an_error_not_a_crash() -> None:
    model, _ = demo.demo_models()[0]
    with pytest.raises(llm.ModelError, match="context"):
        model.prompt("word " * 5000).text()


@pytest.mark.local_model
def test_nothing_reaches_stdout_but_the_answer(here: Settings) -> None:
    script = (
        "from consortium_mcp.adapters.local.models import demo_models\n"
        "print(demo_models()[1][0].prompt('What is the capital of France?').text())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "Paris\n"
    assert here.local_models.exists()


def test_without_a_call_the_engine_is_not_imported() -> None:
    script = (
        "import sys\n"
        "import consortium_mcp.frontends.llm.plugin as plugin\n"
        "plugin.register_models(lambda *_: None, [])\n"
        "assert 'xllamacpp' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
