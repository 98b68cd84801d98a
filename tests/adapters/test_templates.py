"""llm's templates, as files that a user has saved."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm
import pytest
from llm.plugins import pm

import consortium_mcp
from consortium_mcp.adapters.templates import Templates, bundled_names, load_bundled
from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.domain.consortium import TemplateUse
from consortium_mcp.core.domain.errors import ConfigError, UnknownTemplate
from consortium_mcp.core.panel.template import FilledTemplate
from tests.support.templates import save_fragment, save_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio


async def fill(
    prompt: str = "Lock?", name: str = "mine", *then: str, person: bool = False, **params: str
) -> FilledTemplate:
    use = TemplateUse(name=name, params=params, then=then)
    return await Templates(only_saved=not person).filled(use, prompt)


FILLED: dict[str, tuple[str, dict[str, str], FilledTemplate]] = {
    "a text alone": ("Answer, $input", {}, FilledTemplate("Answer, Lock?")),
    "the input in braces": ("prompt: 'On ${input}s'", {}, FilledTemplate("On Lock?s")),
    "no place for the input": ("prompt: Think.", {}, FilledTemplate("Think.\nLock?")),
    "a parameter": ("prompt: In $language, $input", {"language": "Thai"},
                    FilledTemplate("In Thai, Lock?")),
    "a default": ("{prompt: '$n: $input', defaults: {n: 3}}", {}, FilledTemplate("3: Lock?")),
    "instead of a default": ("{prompt: '$n: $input', defaults: {n: 3}}", {"n": "4"},
                             FilledTemplate("4: Lock?")),
    "a system prompt alone": ("system: Be $tone.", {"tone": "brief"},
                              FilledTemplate("Lock?", "Be brief.")),
    "both": ("{prompt: 'A $input', system: B}", {}, FilledTemplate("A Lock?", "B")),
    "a dollar": ("prompt: '$$5: $input'", {}, FilledTemplate("$5: Lock?")),
    "options": ("{system: S, options: {temperature: 0.5}}", {},
                FilledTemplate("Lock?", "S", None, {"temperature": 0.5})),
    "criteria": ("{system: S, defaults: {criteria: In French.}}", {},
                 FilledTemplate("Lock?", "S", "In French.")),
    "criteria as a parameter": ("system: S", {"criteria": "In Thai."},
                                FilledTemplate("Lock?", "S", "In Thai.")),
    "criteria that the text uses": ("{prompt: '$criteria $input', defaults: {criteria: Cost.}}", {},
                                    FilledTemplate("Cost. Lock?")),
}  # fmt: skip


@pytest.mark.parametrize("case", FILLED)
async def test_a_template_makes_of_a_prompt_what_llm_does(settings: Settings, case: str) -> None:
    text, params, expected = FILLED[case]
    save_template(settings, "mine", text)
    use = TemplateUse(name="mine", params=params)
    assert await Templates(only_saved=True).filled(use, "Lock?") == expected


async def test_several_are_gone_through_in_their_order(settings: Settings) -> None:
    save_template(settings, "one", "{prompt: 'one $input', system: First, options: {a: 1, b: 1}}")
    save_template(
        settings, "two", "{prompt: 'two $input $x', system: Second, options: {b: 2, c: 2}}"
    )
    found = await fill("Lock?", "one", "two", x="!")
    assert (found.prompt, found.system) == ("two one Lock? !", "First")
    assert found.options == {"a": 1, "b": 1, "c": 2}


async def test_saved_fragments_go_before_the_texts(settings: Settings) -> None:
    save_fragment(settings, "schema", "CREATE TABLE t")
    save_fragment(settings, "rules", "Never guess.")
    save_template(settings, "mine", "{prompt: 'On $input', system: S, fragments: [schema],"
                           " system_fragments: [rules]}")  # fmt: skip
    expected = FilledTemplate("CREATE TABLE t\nOn Lock?", "Never guess.\n\nS")
    assert await fill() == expected
    assert await fill(person=True) == expected
    save_template(settings, "mine", "fragments: [schemaschema]")  # by its hash
    assert (await fill()).prompt == "CREATE TABLE t\nLock?"


@pytest.mark.parametrize("fragment", ["http://127.0.0.1:9/x", "-", "gh:a/b", "{here}", "none"])
async def test_a_model_reads_no_fragment_that_is_not_saved(
    settings: Settings, tmp_path: Path, fragment: str
) -> None:
    here = tmp_path / "notes.txt"
    here.write_text("From a file.", encoding="utf-8")
    fragment = fragment.format(here=here)
    save_template(settings, "mine", json.dumps({"prompt": "$input", "fragments": [fragment]}))
    with pytest.raises(ConfigError, match="`llm fragments set NAME"):
        await fill()


async def test_a_person_reads_any_fragment(settings: Settings, tmp_path: Path) -> None:
    here = tmp_path / "notes.txt"
    here.write_text("From a file.", encoding="utf-8")
    save_template(settings, "mine", json.dumps({"prompt": "$input", "fragments": [str(here)]}))
    assert (await fill(person=True)).prompt == "From a file.\nLock?"
    save_template(settings, "mine", "fragments: [nowhere]")
    with pytest.raises(ConfigError, match="'nowhere' not found"):
        await fill(person=True)


WRONG: dict[str, tuple[str, str]] = {
    "broken YAML": ("prompt: [", "cannot be read: Invalid YAML"),
    "a list": ("[1, 2]", "cannot be read"),
    "an empty file": ("", "cannot be read"),
    "an unknown field": ("{prompt: x, strategy: vote}", "cannot be read.*strategy"),
    "a field of another type": ("{prompt: x, fragments: [[1]]}", "cannot be read"),
    "a missing parameter": (
        "$tone $language $input",
        r'needs language, tone\. .*"params": {"language": "…", "tone": "…"}.*-p language "…" -p',
    ),
    "one in braces": ("${tone} $input", "needs tone"),
    "a stray dollar": ("For $5, $input", r"write \$\$ for \$"),
    "an attachment": ("{prompt: x, attachments: [a.png]}", "attach them to the call"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_cannot_be_used_is_an_error_with_its_remedy(
    settings: Settings, case: str
) -> None:
    text, message = WRONG[case]
    save_template(settings, "mine", text)
    with pytest.raises(ConfigError, match=message):
        await fill()


async def test_a_template_for_a_text_needs_one(settings: Settings) -> None:
    save_template(settings, "mine", "On $input")
    with pytest.raises(ConfigError, match="needs a text: write it as the prompt"):
        await fill(" ")
    save_template(settings, "mine", "Tell a joke.")
    assert (await fill("")).prompt == "Tell a joke."


LEFT_OUT = {
    "model: gpt-4o": "names the model gpt-4o; the panel was asked instead",
    "tools: [llm_time, web]": "names the tools llm_time, web, which were left out",
    "functions: 'raise SystemExit'": "Python functions, which were left out: none are run here",
    "schema_object: {type: object}": "has a schema, which was left out",
    "extract: true": "extracts code",
}


@pytest.mark.parametrize("field", LEFT_OUT)
@pytest.mark.parametrize("person", [True, False])
async def test_what_is_left_out_is_said(settings: Settings, field: str, *, person: bool) -> None:
    save_template(settings, "mine", f"prompt: $input\n{field}\n")
    found = await fill(person=person)
    assert found.prompt == "Lock?"
    [warning] = found.warnings
    assert LEFT_OUT[field] in warning


async def test_a_parameter_that_no_template_has_is_said(settings: Settings) -> None:
    save_template(settings, "mine", "In $language, $input")
    found = await fill(language="Thai", langauge="x")
    [warning] = found.warnings
    assert "no parameter 'langauge', so it was not used. It has: criteria, language." in warning


async def test_an_unknown_name_brings_the_close_ones(settings: Settings) -> None:
    save_template(settings, "translate", "$input")
    save_template(settings, "reviews", "$input")
    with pytest.raises(UnknownTemplate, match="Did you mean translate"):
        await fill("?", "translat")
    with pytest.raises(UnknownTemplate, match=r"Did you mean reviews, .*review_change"):
        await fill("?", "review")
    with pytest.raises(UnknownTemplate, match=r"There are: .*check_claim"):
        await fill("?", "xyz", person=True)
    with pytest.raises(UnknownTemplate, match="Did you mean check_claim"):
        await fill("?", "consortium:check")


class Loader:
    @llm.hookimpl
    def register_template_loaders(self, register: Callable[..., None]) -> None:
        def load(rest: str) -> llm.Template:
            return llm.Template(name=rest, prompt=f"{rest} $input")  # type: ignore[no-untyped-call]

        register("gh", load)


async def test_only_a_person_names_paths_and_loaders(settings: Settings, tmp_path: Path) -> None:
    page = tmp_path / "elsewhere.yaml"
    page.write_text("Elsewhere, $input", encoding="utf-8")
    loader = Loader()
    pm.register(loader)
    try:
        assert (await fill("?", "gh:them/it", person=True)).prompt == "them/it ?"
        assert (await fill("?", str(page), person=True)).prompt == "Elsewhere, ?"
        beside = settings.user_dir / "templates" / ".." / "elsewhere"
        for name in ("gh:them/it", str(page), "http://127.0.0.1:9/x", str(beside), "../x", ""):
            with pytest.raises(ConfigError, match="only saved ones are taken, by plain name"):
                await fill("?", name)
        with pytest.raises(ConfigError, match="Unknown template prefix: nobody"):
            await fill("?", "nobody:x", person=True)
    finally:
        pm.unregister(loader)


async def test_a_file_in_the_working_folder_is_no_template_for_a_model(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").write_text("Secret, $input", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert (await fill("?", "notes", person=True)).prompt == "Secret, ?"  # as `llm -t` does
    with pytest.raises(UnknownTemplate):
        await fill("?", "notes")
    save_template(settings, "notes", "Saved, $input")
    assert (await fill("?", "notes")).prompt == "Saved, ?"


async def test_the_users_own_goes_before_ours(settings: Settings) -> None:
    assert "Check this claim" in (await fill("?", "check_claim")).prompt
    save_template(settings, "check_claim", "Mine, $input")
    assert (await fill("?", "check_claim")).prompt == "Mine, ?"
    assert "Check this claim" in (await fill("?", "consortium:check_claim")).prompt


@pytest.mark.parametrize("name", bundled_names())
def test_each_of_ours_is_a_page_that_explains_its_parameters(name: str) -> None:
    template = load_bundled(name)
    defaults: dict[str, Any] = template.defaults or {}
    used = string.Template(template.prompt or "").get_identifiers()
    assert set(used) == {"input", *defaults} - {"criteria"}  # none is missing, none too much
    page = Path(consortium_mcp.__file__).parent / "templates" / f"{name}.yaml"
    text = page.read_text(encoding="utf-8")
    head = text.partition("prompt: |")[0]
    for parameter in ("The prompt", *defaults):
        assert f"\n# {parameter}: " in head
    assert len(text.splitlines()) < 40  # one page


@pytest.mark.parametrize("name", bundled_names())
async def test_ours_bring_nothing_that_reads_as_a_choice_of_answers(name: str) -> None:
    """A question's options are read from the prompt: the template's words must not be taken."""
    assert context_of((await fill("Is it so?", name)).prompt) == context_of("Is it so?")
