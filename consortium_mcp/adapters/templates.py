"""llm's templates: the user's own, those of this package, and what else `llm -t` can load.

llm's command line, which reads them, is imported with the first: it takes a second to load.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import resources
from pathlib import Path
from string import Template as Text
from typing import TYPE_CHECKING

import anyio.to_thread
import llm

from consortium_mcp.adapters.fragments import fragment_texts
from consortium_mcp.core.domain.errors import ConfigError, UnknownTemplate
from consortium_mcp.core.domain.text import clean, closest
from consortium_mcp.core.panel.template import FilledTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.consortium import TemplateUse

PREFIX = "consortium"
"""`llm -t consortium:NAME` is the one of this package, whatever the user has saved as NAME."""
_OURS = f"{PREFIX}:"
_PLAIN = re.compile(r"\w[\w.-]*")
_CRITERIA = "criteria"
"""A parameter that no text of the template uses, with this name, is for the arbiter."""
_LEFT_OUT: Mapping[str, str] = {
    "model": "names the model {}; the panel was asked instead",
    "tools": "names the tools {}, which were left out: members get none from a template",
    "functions": "has Python functions, which were left out: none are run here",
    "schema_object": "has a schema, which was left out",
    "extract": "extracts code; the whole answer is given instead",
    "extract_last": "extracts code; the whole answer is given instead",
}
"""What of llm's templates is not taken, and what is said of it. The seam for whoever takes it."""


class Templates:
    """Loads templates and fills them in.

    Args:
        only_saved: take none but those saved on this machine and those of this package, by plain
            name, with saved fragments: for callers that are models. Otherwise also paths, URLs and
            what plugins load, as `llm -t` does.
    """

    def __init__(self, *, only_saved: bool) -> None:
        self._only_saved = only_saved

    async def filled(self, use: TemplateUse, prompt: str) -> FilledTemplate:
        """The prompt, in these templates.

        Raises:
            UnknownTemplate: there is none of this name.
            ConfigError: it cannot be read or used, or lacks a parameter.
        """
        return await anyio.to_thread.run_sync(self._fill, use, prompt)

    async def check(self, use: TemplateUse) -> None:
        """Check that the templates are there and can be read.

        Raises:
            ConfigError: see `filled`; parameters may still be missing.
        """
        await anyio.to_thread.run_sync(self._load_all, use)

    def _load_all(self, use: TemplateUse) -> list[llm.Template]:
        return [_loaded(name, only_saved=self._only_saved) for name in use.names]

    def _fill(self, use: TemplateUse, prompt: str) -> FilledTemplate:
        templates = self._load_all(use)
        texts = partial(fragment_texts, only_saved=self._only_saved)
        fragments = texts([each for found in templates for each in found.fragments or ()])
        told = texts([each for found in templates for each in found.system_fragments or ()])
        warnings = _unused(templates, use)
        options: dict[str, object] = {}
        system, criteria = None, None
        for name, template in zip(use.names, templates, strict=True):
            prompt, own = _interpolated(name, template, prompt, use.params)
            system, criteria = system or own, criteria or _criteria(template, use.params)
            options = (template.options or {}) | options
            warnings += _left_out(name, template)
        return FilledTemplate(
            clean("\n".join(each for each in (*fragments, prompt) if each)),
            clean("\n\n".join(each for each in (*told, system) if each)) or None,
            clean(criteria) if criteria else None,
            options,
            tuple(dict.fromkeys(warnings)),
        )


def bundled_names() -> list[str]:
    """The names of the templates of this package."""
    return sorted(Path(page.name).stem for page in _PAGES.iterdir() if page.name.endswith(".yaml"))


_PAGES = resources.files("consortium_mcp").joinpath("templates")


def load_bundled(name: str) -> llm.Template:
    """The templates of consortium-mcp, such as consortium:review_change.

    Raises:
        UnknownTemplate: this package has none of this name.
    """
    if name not in bundled_names():
        raise UnknownTemplate(_unknown(name, bundled_names()))
    with resources.as_file(_PAGES.joinpath(f"{name}.yaml")) as page:
        return _read(f"{_OURS}{name}", str(page))


def _loaded(name: str, *, only_saved: bool) -> llm.Template:
    """The template of this name: the user's own before this package's, and before llm's loaders."""
    if name.startswith(_OURS):
        return load_bundled(name.removeprefix(_OURS))
    if _PLAIN.fullmatch(name):
        saved = llm.user_dir() / "templates"  # type: ignore[no-untyped-call]
        if (own := saved / f"{name}.yaml").is_file():
            return _read(name, str(own))
        if name in bundled_names():
            return load_bundled(name)
        if only_saved or not Path(name).exists():
            mine = [page.stem for page in saved.glob("*.yaml")]
            raise UnknownTemplate(_unknown(name, [*mine, *bundled_names()]))
    if only_saved:
        raise ConfigError(
            f"The template {name!r} is a path, an address or another loader's: here only saved "
            "ones are taken, by plain name. Its user can save the same text under one: "
            "`llm templates edit NAME`."
        )
    return _read(name, name)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = closest(name, known)
    hint = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(known)}."
    return f"No template is called {name!r}. {hint} `llm templates list` shows the user's own."


def _read(name: str, what: str) -> llm.Template:
    """What llm loads as `what`.

    Raises:
        ConfigError: it cannot be loaded, or is no template.
    """
    try:
        from llm.cli import load_template  # noqa: PLC0415 (see above)

        return load_template(what)
    except Exception as error:  # llm's readers raise what YAML, httpx and loaders do
        why = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"The template {name!r} cannot be read: {why}. `llm templates edit` opens a saved one."
        ) from error


def _interpolated(
    name: str, template: llm.Template, prompt: str, params: Mapping[str, str]
) -> tuple[str, str | None]:
    """The prompt and the system text, as llm makes them.

    Raises:
        ConfigError: a parameter or the prompt is missing, or a text has a stray dollar sign.
    """
    used = _variables(name, template)
    uses_input = "input" in used
    given = {**(template.defaults or {}), **params}
    if missing := sorted(used - {*given, "input"}):
        shown = ", ".join(f'"{each}": "…"' for each in missing)
        options = " ".join(f'-p {each} "…"' for each in missing)
        raise ConfigError(
            f"The template {name!r} needs {', '.join(missing)}. Give each in its params: "
            f'{{"name": "{name}", "params": {{{shown}}}}}; on the command line: {options}.'
        )
    if uses_input and not prompt.strip():
        raise ConfigError(f"The template {name!r} needs a text: write it as the prompt.")
    filled, system = template.evaluate(prompt if uses_input else "", {**params})
    if uses_input:
        return filled or "", system
    return "\n".join(each for each in (filled, prompt) if each), system


def _variables(name: str, template: llm.Template) -> set[str]:
    texts = [Text(each) for each in (template.prompt, template.system) if each]
    if not all(each.is_valid() for each in texts):
        raise ConfigError(
            f"The template {name!r} has a dollar sign that begins no parameter: write $$ for $."
        )
    return {each for text in texts for each in text.get_identifiers()}


def _criteria(template: llm.Template, params: Mapping[str, str]) -> str | None:
    texts = f"{template.prompt or ''} {template.system or ''}"
    if _CRITERIA in Text(texts).get_identifiers():
        return None
    found = params.get(_CRITERIA) or (template.defaults or {}).get(_CRITERIA)
    return str(found) if found else None


def _unused(templates: Sequence[llm.Template], use: TemplateUse) -> list[str]:
    """A warning for each parameter that no template has."""
    known = {_CRITERIA}
    for name, template in zip(use.names, templates, strict=True):
        known |= _variables(name, template) | {*(template.defaults or ())}
    return [
        f"The template {use.name!r} has no parameter {each!r}, so it was not used. "
        f"It has: {', '.join(sorted(known - {'input'}))}."
        for each in use.params
        if each not in known
    ]


def _left_out(name: str, template: llm.Template) -> list[str]:
    """What of the template is not taken.

    Raises:
        ConfigError: it brings attachments, without which its question makes no sense.
    """
    if template.attachments or template.attachment_types:
        raise ConfigError(
            f"The template {name!r} brings attachments, which are not taken from templates. Take "
            "them out of it, and attach them to the call."
        )
    return [
        f"The template {name!r} {said.format(', '.join(found) if type(found) is list else found)}."
        for field, said in _LEFT_OUT.items()
        if (found := getattr(template, field))
    ]
