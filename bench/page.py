"""The page of a run: its size, and how soon its first picture is there.

    python -m bench.page

The run has 32 members; its texts have one megabyte in all, and then one megabyte each. The time is
that of the browser's `first-contentful-paint`, from the beginning of the navigation to the file;
"whole" is when the document is read to its end; CPU is that of the page's main thread until then,
which does not depend on what else the machine does. An empty page shows what the browser itself
takes. Medians of several loads, each in a new window.
"""

from __future__ import annotations

import gzip
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.frontends.page.files import PAGE, page_html
from consortium_mcp.frontends.page.page_data import run_page
from tests.support.browser import browser_program, opened_browser
from tests.support.fakes import reply, run_of, verdict
from tests.support.page_runs import record_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MEMBERS = 32
LOADS = 7
PARAGRAPH = "A *reason* with `code`, and another one that is **longer**. " * 5 + "\n\n"
TIMES = """async () => {
    await document.fonts.ready;
    const paint = await new Promise((done) => new PerformanceObserver((list) =>
        list.getEntriesByName("first-contentful-paint").forEach((entry) => done(entry.startTime))
    ).observe({type: "paint", buffered: true}));
    return [paint, performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd];
}"""


def page_with(characters: int) -> str:
    """The page of a run whose members answer with so many characters each."""
    names = [f"model-{n % 8}" for n in range(MEMBERS)]
    text = PARAGRAPH * (characters // len(PARAGRAPH))
    said = [reply("one" if n < 20 else "two", 0.7, f"{n}. {text}") for n in range(MEMBERS)]
    script = {name: said[n::8] for n, name in enumerate(names[:8])}
    run = run_of(*names, strategy="vote", max_iterations=1)
    return page_html(run_page(record_of(run, {**script, "judge": verdict()})))


def measured(browser: Browser, file: Path) -> list[float]:
    """Milliseconds to the first paint, to the end of the document, and of CPU."""
    times = []
    for _ in range(LOADS):
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(file.as_uri())
        paint, whole = page.evaluate(TIMES)
        figures = session.send("Performance.getMetrics")["metrics"]
        cpu = next(each["value"] for each in figures if each["name"] == "TaskDuration")
        times.append((paint, whole, cpu * 1000))
        page.close()
    return [statistics.median(column) for column in zip(*times, strict=True)]


if __name__ == "__main__":
    program = browser_program()
    if program is None:
        raise SystemExit("There is no Chromium: install it, or set CONSORTIUM_BROWSER.")
    built = PAGE.read_bytes()
    print(f"the file: {len(built):,} bytes, {len(gzip.compress(built, 9)):,} gzipped")
    with tempfile.TemporaryDirectory() as folder, opened_browser(program) as browser:
        empty = Path(folder) / "empty.html"
        empty.write_text("<!doctype html><p>Nothing", encoding="utf-8")
        first, whole, cpu = measured(browser, empty)
        print(f"an empty page: first paint {first:.0f} ms, whole {whole:.0f} ms, CPU {cpu:.0f} ms")
        for name, size in (("1 MB in all", 1_000_000 // MEMBERS), ("1 MB each", 1_000_000)):
            file = Path(folder) / "run.html"
            file.write_text(page_with(size), encoding="utf-8")
            first, whole, cpu = measured(browser, file)
            print(
                f"{MEMBERS} members, {name} ({file.stat().st_size / 1e6:.0f} MB): "
                f"first paint {first:.0f} ms, whole {whole:.0f} ms, CPU {cpu:.0f} ms"
            )
