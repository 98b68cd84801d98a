"""Draw the README's picture of a consultation: what `consortium-mcp demo` shows, from a real run.

    python -m bench.picture [docs/consultation.svg]

Which models are asked is the demo's choice: those whose keys are there, else the local ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

COLUMNS = 100
LINE = 19
"""Pixels from one line to the next."""
CHARACTER = 8.4
MARGIN = 24
BAR = 34
"""Pixels of the window's title bar."""
HEADING = re.compile(r"[A-Z][a-z]+(?: [a-z]+)?(?=  )")
"""What stands at the left in bold: `Question`, `Synthesis` and so on."""
PIECE = re.compile(r"\S+(?: \S+)*")
"""Words without more than one space between: not every viewer keeps more."""
RESULTS = {"Synthesis", "Answer", "Confidence"}


def consultation() -> list[str]:
    """The lines that the demo prints, without the downloads before it."""
    shown = subprocess.run(
        [sys.executable, "-m", "consortium_mcp", "demo"],
        env=os.environ | {"COLUMNS": str(COLUMNS)},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout.replace(sys.executable, "python")
    lines = shown.rstrip().splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("Server")) :]


def drawn(lines: list[str]) -> str:
    """The lines as a terminal's window, as SVG."""
    width = COLUMNS * CHARACTER + 2 * MARGIN
    height = BAR + (len(lines) + 1) * LINE + MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
            f'width="{width:.0f}" height="{height}" role="img" '
            'aria-label="A consultation in a terminal: question, answers, synthesis, confidence">'
        ),
        (
            "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
            "fill:#d6dae3;white-space:pre}.b{font-weight:bold;fill:#fff}.s{fill:#7fd18b}"
            ".p{fill:#8fa3bf}</style>"
        ),
        f'<rect width="100%" height="{height}" rx="9" fill="#1c2029"/>',
        *(
            f'<circle cx="{MARGIN + 20 * n}" cy="{BAR / 2:.0f}" r="6" fill="{colour}"/>'
            for n, colour in enumerate(("#ed6a5e", "#f4bf4f", "#61c554"))
        ),
        (
            f'<text class="p" x="{width / 2:.0f}" y="{BAR / 2 + 5:.0f}" text-anchor="middle">'
            "consortium-mcp demo</text>"
        ),
    ]
    for n, line in enumerate(lines):
        heading = HEADING.match(line)
        kind = "s" if heading and heading[0] in RESULTS else "p" if line.startswith("  · ") else ""
        for piece in PIECE.finditer(line):
            styled = "b" if heading and piece.start() == 0 else kind
            parts.append(
                f'<text class="{styled}" x="{MARGIN + piece.start() * CHARACTER:.1f}" '
                f'y="{BAR + (n + 1) * LINE}" textLength="{len(piece[0]) * CHARACTER:.1f}">'
                f"{escape(piece[0])}</text>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/consultation.svg")
    where.write_text(drawn(consultation()), encoding="utf-8")
    print(f"{where} drawn")
