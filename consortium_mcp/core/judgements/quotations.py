"""Tells an arbiter's own words from what it quotes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """What tells the arbiter's own verdict from a quoted one."""

    code: str = ""
    """The run's code, which the arbiter was asked to repeat; empty where it was given none."""
    material: tuple[str, ...] = ()
    """The texts that the arbiter read: answers, conversation, prompt."""

    def quotes(self, text: str) -> bool:
        """Whether a text stands word for word in the material; blanks and case do not count."""
        flat = _flat(text)
        return any(flat in each for each in self._flat_material)

    @cached_property
    def _flat_material(self) -> tuple[str, ...]:
        return tuple(_flat(each) for each in self.material)


def _flat(text: str) -> str:
    """The text without what a quotation changes: case, blanks, `>` before lines, escapes."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("‹", "<")
    plain = _LINE_MARK.sub("", plain.replace("\\n", "\n").replace("\\t", " "))
    return "".join(plain.replace("\\", "").split())


_LINE_MARK = re.compile(r"^[^\S\n]*(?:>[^\S\n]?)+", re.MULTILINE)
