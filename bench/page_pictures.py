"""Take the pictures of docs/page.md: the same run in a wide light and a narrow dark window.

    python -m bench.page_pictures

Needs Chromium on the path, or its place in CONSORTIUM_BROWSER.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from consortium_mcp.frontends.page.files import page_html
from tests.support.browser import browser_program, opened_browser
from tests.support.page_runs import page_of

DOCS = Path("docs")
PICTURES = (("page-light.png", 840, 960, "light"), ("page-dark.png", 340, 760, "dark"))
"""File, width and height in pixels, colour scheme."""
MOST_BYTES = 150_000

if __name__ == "__main__":
    program = browser_program()
    if program is None:
        raise SystemExit("There is no Chromium: install it, or set CONSORTIUM_BROWSER.")
    with tempfile.TemporaryDirectory() as folder, opened_browser(program) as browser:
        file = Path(folder) / "run.html"
        file.write_text(page_html(page_of("answered")), encoding="utf-8")
        for name, width, height, scheme in PICTURES:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(file.as_uri())
            page.get_by_role("meter").wait_for()
            page.screenshot(path=DOCS / name)
            size = (DOCS / name).stat().st_size
            assert size <= MOST_BYTES, f"{name} has {size} bytes"
            print(f"{DOCS / name}: {size} bytes")
