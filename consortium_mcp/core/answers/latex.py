"""Converts LaTeX to plain text, as far as short answers need it."""

from __future__ import annotations

import re

_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|limits|big|Big|quad|qquad|[,;:! ()\[\]])|\\{2,}(?=[\[\]()])"
)
_WORDS = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|boxed|fbox)\s*\{"
)
_FRACTION = re.compile(r"\\[dtc]?frac\s*")
_ROOT = re.compile(r"\\sqrt\s*(?:\[([0-9]+)\]\s*)?(?=[{0-9a-zA-Z\\])")
_SYMBOLS = {
    "cdot": "*", "times": "*", "div": "/", "pi": "π", "infty": "∞", "pm": "±", "le": "<=",
    "leq": "<=", "ge": ">=", "geq": ">=", "neq": "!=", "ne": "!=", "circ": "°", "degree": "°",
    "cup": "\u222a", "cap": "∩", "emptyset": "∅",
    "%": "%", "$": "$", "{": "{", "}": "}", "&": "&", "_": "_",
}  # fmt: skip
_SYMBOL = re.compile(r"\\(?:([a-zA-Z]+)|([%${}&_]))")
_INFINITY = re.compile(r"\b(?:positive )?infinity\b", re.IGNORECASE)
_MAX_ROUNDS = 20


def plain(text: str) -> str:
    r"""Convert `\frac{1}{5}` to `1/5`, `\text{ cm}` to ` cm`, `$x$` to `x`; keep other text."""
    text = _INFINITY.sub("∞", text)
    if not any(sign in text for sign in ("\\", "$", "^{", "{,}")):
        return text
    text = text.replace("{,}", ",")
    text = re.sub(r"\\\\(?=[a-zA-Z(){}%$])", r"\\", text)  # escaped twice, as in JSON
    text = _DROPPED.sub(" ", text)
    for _ in range(_MAX_ROUNDS):
        changed = _replace_one(text)
        if changed == text:
            break
        text = changed
    text = _SYMBOL.sub(lambda found: _SYMBOLS.get(found[1] or found[2], found[1] or ""), text)
    text = re.sub(r"\^\s*\{?°\}?", "°", text)
    text = re.sub(r"\^\s*\{([^{}]*)\}", lambda found: f"^{_bracketed(found[1].strip())}", text)
    inner = re.fullmatch(r"\s*\${1,2}(?![0-9. ]*$)([^$]*[^$\s])\s*\${1,2}\s*\.?\s*", text)
    return inner[1] if inner else text


def _replace_one(text: str) -> str:
    """Replace one command that has braces."""
    if words := _WORDS.search(text):
        content, end = _braced(text, words.end() - 1)
        return f"{text[: words.start()]} {content} {text[end:]}"
    if fraction := _FRACTION.search(text):
        upper, middle = _braced(text, fraction.end())
        lower, end = _braced(text, middle)
        before = text[: fraction.start()]
        gap = " " if before[-1:].isdigit() and upper.isdigit() and lower.isdigit() else ""
        if gap:  # a mixed number: 2\frac{1}{2}
            return f"{before} {upper}/{lower}{text[end:]}"
        return f"{before}{_bracketed(upper)}/{_bracketed(lower)}{text[end:]}"
    if root := _ROOT.search(text):
        content, end = _braced(text, root.end())
        shown = f"({content})^(1/{root[1]})" if root[1] else f"sqrt({content})"
        return f"{text[: root.start()]}{shown}{text[end:]}"
    return text


def _braced(text: str, place: int) -> tuple[str, int]:
    """The content of the braces (or the single character) at this place, and where it ends."""
    while place < len(text) and text[place] == " ":
        place += 1
    if place >= len(text) or text[place] != "{":
        return text[place : place + 1], place + 1
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            return text[place + 1 : end], end + 1
    return text[place + 1 :], len(text)


def _bracketed(text: str) -> str:
    return text if re.fullmatch(r"[0-9.]+|[a-z]", text) else f"({text})"
