"""Makes an answer's characters uniform and strips what encloses it."""

from __future__ import annotations

import re
import unicodedata

from consortium_mcp.core.answers.latex import plain
from consortium_mcp.core.answers.units import with_case_told

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERSCRIPT = re.compile(r"([⁺⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_SUBSCRIPT = re.compile(r"(?<=[0-9)])([₀₁₂₃₄₅₆₇₈₉]+)")
_INDEX = re.compile(r"(?<=[^\W\d_])_\{?([0-9]+)\}?")
_SIGNS = str.maketrans({"−": "-", "–": "-", "≤": "<=", "≥": ">=", "≠": "!="})
_RANGE = re.compile(r"(?<=[0-9%])\s?–\s?(?=[0-9$€£])")
_VULGAR = re.compile(r"([0-9])([¼-¾⅐-⅞])")
_CLOCK = re.compile(r"^([0-9]{1,2}):00 ?([ap])\.?m\.?$")
_PREAMBLE = re.compile(r"^(?:the )?(?:final )?answer is:? (?=\S)")
_EXPLAINED = re.compile(r"(?:,|(?<=[0-9$%])) (?:which|because|since|representing|meaning)\b.*$")


def normalised(text: str) -> str:
    """The answer in lower case and plain characters, without a trailing explanation."""
    text = _VULGAR.sub(r"\1 \2", _SUPERSCRIPT.sub(_superscript, with_case_told(plain(text))))
    text = _SUBSCRIPT.sub(r"_\1", text).translate(_LOWERED)  # 1010₂ is not 10102, but H₂O is H2O
    text = _INDEX.sub(r"\1", _RANGE.sub(" to ", text))
    form = unicodedata.normalize("NFKC", text).casefold()
    form = " ".join(form.translate(_SIGNS).replace(" & ", " and ").split())
    form = _PREAMBLE.sub("", _CLOCK.sub(r"\1 \2m", form))
    return unwrapped(_EXPLAINED.sub("", form))


def _superscript(found: re.Match[str]) -> str:
    sign, digits = found[1].translate(_RAISED), found[2].translate(_RAISED)
    return f"^({sign}{digits})" if sign else f"^{digits}"


_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2})!+$")  # "yes!" is yes, but n! is not n
_PAIRS = {("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("‘", "’"), ("«", "»")}
_PAIRS |= {(mark, mark) for mark in "\"'`*_$"}


def unwrapped(form: str) -> str:
    """The text without enclosing quotes, brackets and markup; a tuple keeps its brackets."""
    while True:
        bare = _EXCLAIMED.sub("", form.strip().rstrip(".,;:?").strip())
        if len(bare) > 1 and (bare[0], bare[-1]) in _PAIRS:
            inner = bare[1:-1]
            if not (bare[0] in "([{" and set(inner) & set(",()[]{}")):
                bare = inner
        if bare == form:
            return form
        form = bare
