from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.page_runs import RUNS
from tests.web.conftest import open_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Frame, Page

    Show = Callable[..., Page]


def violations(page: Page | Frame, node_modules: Path) -> list[tuple[str, list[str]]]:
    """What axe finds: the rule, and the HTML that breaks it."""
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", RUNS)
def test_axe_finds_nothing(show: Show, node_modules: Path, kind: str, scheme: str) -> None:
    page = show(kind, color_scheme=scheme, viewport={"width": 360, "height": 700})
    assert violations(page, node_modules) == []
    open_all(page)
    assert violations(page, node_modules) == []
