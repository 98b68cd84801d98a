"""Finds the short final answer in the forms that models use by habit, and tells shrugs from it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.reading.markup import Markup

MAX_FINAL_ANSWER = 200
"""The most characters of a short final answer."""
_END_LENGTH = 400
"""Length of the reply's end, in characters, where an untagged answer must stand."""


def untagged_answer(markup: Markup) -> str | None:
    r"""The answer of a reply without our tag, or `None`.

    In this order: the field `answer` of JSON, see `_answer_json`; near the end,
    `<answer>…</answer>`, `\boxed{}` and the line `Final answer: …`; a last line such as `The
    answer is …`, or the last line under a heading such as `## Answer`.
    """
    if fields := list(_JSON_FIELD.finditer(_answer_json(markup))):
        field = fields[-1]
        if field[2]:
            return None if field[2] == "null" else field[2]
        return field[1].replace("\\\\", "\\").replace('\\"', '"')
    end = markup.text[-_END_LENGTH:]
    if tagged := _ANSWER_TAG.search(end):
        return tagged[1]
    if (boxed := _last_box(end)) is not None:
        return boxed
    bare = _CONFIDENCE_LINE.sub("", markup.bare[-_END_LENGTH:])  # an answer in a sample is none
    final_line, last_line = _patterns()
    lines = list(final_line.finditer(bare))
    stated = lines[-1] if lines else last_line.search(bare)
    if stated is None:
        return None
    place = next(place for place in stated.regs[1:] if place[0] >= 0)
    return _REMARK.sub("", end[slice(*place)]).strip(" *")


def _answer_json(markup: Markup) -> str:
    """The JSON object that states the answer; empty where there is none.

    It is the one that the reply ends in, or a block that gives its reasoning beside the answer, as
    models do that are asked for both. Any other JSON is a sample.
    """
    text = markup.text.rstrip("`\n ")
    blocks = [markup.text[part.inner_start : part.inner_end] for part in markup.code]
    if text.endswith("}"):
        if markup.code and markup.code[-1].end == len(markup.text):
            return blocks[-1]
        line = text[text.rfind("\n") + 1 :]
        start = 0 if text.startswith("{") else text.rfind("\n{")
        return text[start:] if start >= 0 else line[line.find("{") :] if "{" in line else ""
    reasoned = [block for block in blocks if _REASONING.match(block)]
    return reasoned[-1] if reasoned else ""


_REASONING = re.compile(r'\s*\{\s*"(?:reasoning|thoughts?|chain_of_thought)"\s*:', re.IGNORECASE)
_JSON_FIELD = re.compile(
    r'"(?:final_?)?answer"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"{}\[\],]+))', re.IGNORECASE
)
_ANSWER_TAG = re.compile(r"<answer>\s*([^<>]*?)\s*</answer>\s*$", re.IGNORECASE)
CONFIDENCE = (
    "(?:stated )?confidence|konfidenz|confiance|confianza|confiança|confidenza|уверенность|置信度|"
    "確信度|확신도"
)
"""`Confidence`, in the languages that models are asked in most."""
_CONFIDENCE_LINE = re.compile(rf"\n[\s*_]*(?:{CONFIDENCE})[\s*_]*[:：][^\n]*\s*$", re.IGNORECASE)
_REMARK = re.compile(rf"\s*\((?:{CONFIDENCE})[^()]*\)\W*$", re.IGNORECASE)
_ANSWER = (
    "answer|antwort|réponse|respuesta|risposta|resposta|antwoord|svar|vastaus|odpowiedź|odpověď|"
    "відповідь|ответ|cevap|yanıt|jawaban|đáp án|答案|回答|答え|答|정답|답|الجواب|الإجابة|תשובה|"
    "उत्तर|คำตอบ"
)
"""`Answer`, in the languages that models are asked in most."""
_FINAL = (
    "final|correct|endgültige|richtige|finale|definitiva|correcta|definitieve|slutligt|"
    "окончательный|правильный|итоговый|最终|最終|正确|ostateczna"
)
_LABEL = (
    r"(?:(?:the|my|la|die|a|o|het|el|den|short)\s+)?"
    rf"(?:(?:{_FINAL})\s*)?(?:{_ANSWER})(?:\s+(?:{_FINAL}))?"
)
_SO = r"(?:(?:so|thus|therefore|hence|also|donc|entonces|quindi|итак)\b|所以|因此|따라서|よって)"
_VERB = r"(?:is|ist|lautet|est|es|è|é|er|jest)"
_SAYS = rf"(?:(?:\s+{_VERB}\b)?[ *_]*[:：]|\s+{_VERB}\b|[是为])"


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of a line that states the final answer, and of a last line that states one.

    They take 4 ms to compile, and few replies need them.
    """
    final_line = re.compile(
        rf"^[ \t#>*_-]*(?:(?:the|my) )?(?:(?:{_FINAL})\s?(?:{_ANSWER})|(?:{_ANSWER}) (?:{_FINAL}))"
        r"[ *_]*(?:[:：]| [-–—] )[ *:]*(\S[^\n]*)$",
        re.IGNORECASE | re.MULTILINE,
    )
    last_line = re.compile(
        rf"^[ \t#>*_-]*(?:{_SO}\W*)?{_LABEL}{_SAYS}[ *:]*(\S[^\n]*)\s*\Z"
        rf"|^[ \t#>*_-]*{_LABEL}[ *_:：]*\n\s*(\S[^\n]*)\s*\Z"
        r"|^\s*#{4}\s*(\S[^\n]*)\s*\Z",
        re.IGNORECASE | re.MULTILINE,
    )
    return final_line, last_line


def _last_box(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len("\\boxed")
    for place in range(begin, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return text[begin + 1 : place]
    return None


_SHRUGS = frozenset(
    {
        "n/a", "n.a", "not applicable", "no answer", "no final answer", "see above", "k.a",
        "nicht anwendbar", "н/д", "n.v.t", "해당없음", "your answer here",
        "does not apply", "no short answer", "no definite answer",
        "no short definite answer", "the short answer alone", "the short answer", "short answer",
        "your answer", "your short answer", "entfällt", "nicht zutreffend", "keine angabe",
        "sans objet", "non applicable", "no aplica", "no aplicable", "não se aplica",
        "non applicabile", "niet van toepassing", "nie dotyczy", "не применимо", "неприменимо",
        "不适用", "不適用", "該当なし", "해당 없음",
    }
)  # fmt: skip
"""Texts that models write where the question has no short answer, and our own placeholder."""


def is_shrug(content: str) -> bool:
    """Whether a final answer says that there is none, perhaps with a remark that says why."""
    plain = re.sub(r"[\u200b-\u200d\u2060\ufeff]|\\text", "", content.casefold())
    words = " ".join(plain.split()).strip(" .*_`'\"()[]{}<>-–—…。$")
    words = re.split(r"\s+[(\-–—]|[:(]", words)[0].strip(" .")
    content = plain
    return words in _SHRUGS or not (words or _SYMBOL.search(content))


_SYMBOL = re.compile(r"[^\s.*_`'\"()\[\]{}<>–—…。-]|``?[^`\s]+``?")


def final_answer_text(content: str | None) -> str | None:
    """A final answer on one line, or `None` where it is empty, a shrug, or too long."""
    answer = " ".join((content or "").split())
    return None if len(answer) > MAX_FINAL_ANSWER or is_shrug(answer) else answer
