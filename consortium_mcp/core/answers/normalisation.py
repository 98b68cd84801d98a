"""Makes an answer's characters uniform and strips what encloses it."""

from __future__ import annotations

import re
import unicodedata

from consortium_mcp.core.answers.latex import plain
from consortium_mcp.core.answers.numerals import in_plain_digits
from consortium_mcp.core.answers.units import with_case_told

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERSCRIPT = re.compile(r"([⁺⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_SUBSCRIPT = re.compile(r"(?<=[0-9)])([₀₁₂₃₄₅₆₇₈₉]+)")
_INDEX = re.compile(r"(?<=[^\W\d_])_\{?([0-9]+)\}?")
_SIGNS = str.maketrans({"−": "-", "–": "-", "≤": "<=", "≥": ">=", "≠": "!="})
_RANGE = re.compile(r"(?<=[0-9%])\s?–\s?(?=[0-9$€£])")
_VULGAR = re.compile(r"([0-9])([¼-¾⅐-⅞])")
_CLOCK = re.compile(r"^([0-9]{1,2}):00 ?([ap])\.?m\.?$", re.IGNORECASE)
_PREAMBLE = re.compile(r"^(?:the )?(?:(?:final|correct|right) )?answer is:? (?=\S)", re.IGNORECASE)
_EXPLAINED = re.compile(
    r"(?:,|(?<=[0-9$%])) (?:which|because|since|representing|meaning)\b.*$", re.IGNORECASE
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff]")
_AND = re.compile(r"(?<=\w) & (?=\w)")


def normalised(text: str, *, decimal_comma: bool = False) -> str:
    """The answer in plain characters, without a trailing explanation; its case is kept."""
    text = in_plain_digits(_INVISIBLE.sub("", text), decimal_comma=decimal_comma)
    text = _VULGAR.sub(r"\1 \2", _SUPERSCRIPT.sub(_superscript, with_case_told(plain(text))))
    text = _SUBSCRIPT.sub(r"_\1", text).translate(_LOWERED)  # 1010₂ is not 10102, but H₂O is H2O
    text = _INDEX.sub(r"\1", _RANGE.sub(" to ", text))
    form = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    form = " ".join(_AND.sub(" and ", form).split())
    form = _PREAMBLE.sub("", _CLOCK.sub(r"\1 \2m", form))
    return unwrapped(_EXPLAINED.sub("", form))


def _superscript(found: re.Match[str]) -> str:
    sign, digits = found[1].translate(_RAISED), found[2].translate(_RAISED)
    return f"^({sign}{digits})" if sign else f"^{digits}"


def without_markup(text: str) -> str:
    """The text without blanks, backticks, emphasis and a full stop around it; else as it is."""
    form = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_SIGNS)
    while True:
        bare = re.sub(r"(?<=\w)[.。]$", "", form.strip())
        for mark in ("`", "**", "*"):
            if len(bare) > 2 * len(mark) and bare.startswith(mark) and bare.endswith(mark):
                bare = bare[len(mark) : -len(mark)]
        if bare == form:
            return form
        form = bare


_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2}) ?!+$")  # "yes!" is yes, but n! is not n
_MARKED = re.compile(r"^([^\W_]{1,4})[)\]]$")  # an option, as lists number them
_PAIRS = {("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»")}
_PAIRS |= {("「", "」"), ("『", "』"), ("《", "》"), ("【", "】")}
_PAIRS |= {(mark, mark) for mark in "\"'`*$"}


def unwrapped(form: str) -> str:
    """The text without enclosing quotes, brackets and markup; a tuple keeps its brackets."""
    while True:
        bare = _MARKED.sub(r"\1", form.strip())
        bare = _EXCLAIMED.sub("", bare.rstrip(".,;:?。、").strip())
        if len(bare) > 1 and (bare[0], bare[-1]) in _PAIRS:
            inner = bare[1:-1]
            if not (bare[0] in "([{" and set(inner) & set(",()[]{}")):
                bare = inner
        if bare == form:
            return form
        form = bare
