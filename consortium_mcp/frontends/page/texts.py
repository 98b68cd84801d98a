"""Long texts, taken out of a page's data and read when somebody opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.frontends.page.model import Later, RunPage

if TYPE_CHECKING:
    from pydantic import BaseModel

_TEXTS = {
    "prompt",
    "synthesis",
    "argument",
    "open_dissent",
    "text",
    "system",
    "reply",
    "arguments",
    "result",
}
"""The fields that hold a `Text`."""
_SHOWN_AT_ONCE = {"synthesis", "argument", "open_dissent"}
"""Those of which the beginning stays."""


def set_apart(page: RunPage, longest: int) -> tuple[RunPage, dict[str, str]]:
    """The page without its long texts, and these texts by their keys.

    A text that stands in several places has one key. The keys of a run stay the same while it goes
    on.

    Args:
        page: a run's page.
        longest: the most characters of a text that stays.
    """
    texts: dict[str, str] = {}
    keys: dict[str, str] = {}

    def apart(text: str, name: str, path: str) -> str | dict[str, Any]:
        if len(text) <= longest:
            return text
        key = keys.setdefault(text, path)
        texts[key] = text
        beginning = text[:longest] if name in _SHOWN_AT_ONCE or path == "prompt" else ""
        return Later(key=key, characters=len(text), beginning=beginning).model_dump()

    def walk(value: Any, name: str, path: str) -> Any:  # noqa: ANN401 (JSON)
        if isinstance(value, str):
            return apart(value, name, path) if name in _TEXTS else value
        if isinstance(value, dict):
            if name == "data":  # the models' own object, whatever its names are
                return value
            start = f"{path}/" if path else ""
            return {key: walk(each, key, f"{start}{key}") for key, each in value.items()}
        if isinstance(value, list) and name not in {"history", "fields"}:
            return [walk(each, name, f"{path}/{place}") for place, each in enumerate(value)]
        return value

    return RunPage.model_validate(walk(page.model_dump(mode="json"), "", "")), texts


def lean_json(page: BaseModel) -> dict[str, Any]:
    """The page's data as JSON without what is absent; an object's own `null` stays."""
    return {
        name: _lean(name, value)
        for name, value in page.model_dump(mode="json").items()
        if value is not None
    }


def _lean(name: str, value: Any) -> Any:  # noqa: ANN401 (JSON)
    if name in {"data", "fields"}:
        return value
    if isinstance(value, dict):
        return {key: _lean(key, each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_lean(name, each) for each in value]
    return value
