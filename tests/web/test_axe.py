from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.page_runs import RUNS
from tests.web.conftest import open_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    Show = Callable[..., Page]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", RUNS)
def test_axe_finds_nothing(show: Show, node_modules: Path, kind: str, scheme: str) -> None:
    page = show(kind, color_scheme=scheme, viewport={"width": 360, "height": 700})
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    for _ in range(2):
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [
            (each["id"], [node["html"][:200] for node in each["nodes"]])
            for each in found["violations"]
        ] == []
        open_all(page)
