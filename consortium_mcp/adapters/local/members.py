"""How the demo model answers: as a `chat`, and as a `few-shot` quiz.

The two make different mistakes, so a panel of both does disagree at times. The prompts and figures
come from measurements on 60 questions written for the purpose (20 for tuning, 40 held out): chat
answered 27 of the 40 correctly, few-shot 21. Neither answers yes/no questions better than chance,
and nothing that was tried weighs two answers better than chance.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.local.engine import CompletionSession

MEMBERS = ("smollm2-chat", "smollm2-few-shot")
"""The names of the two; the second breaks ties."""
CHAT_SYSTEM = "You are a careful assistant. Answer in one short sentence."
# These turns keep answers short: without them one answer in four has several sentences.
CHAT_TURNS = (
    ("What is the capital of Norway?", "The capital of Norway is Oslo."),
    ("Is snow hot?", "No, snow is cold."),
    ("What is 14 + 9?", "14 + 9 is 23."),
    ("Why does ice float?", "Ice floats because it is less dense than water."),
)
QUIZ = (
    ("What is 3 + 5?", "8"),
    ("What is the capital of Norway?", "Oslo"),
    ("Is snow hot?", "No"),
    ("Who wrote Robinson Crusoe?", "Daniel Defoe"),
    ("How many wheels does a car have?", "4"),
    ("What is the chemical symbol for gold?", "Au"),
    ("Is gold a metal?", "Yes"),
    ("In what year did World War I begin?", "1914"),
    ("Why does ice float?", "Because it is less dense than water"),
    ("What is 6 times 7?", "42"),
    ("How do I stay warm?", "Wear a coat"),
    ("Which animal is known as man's best friend?", "Dog"),
)
# Other questions than the quiz's, so that the tie-break does not repeat the few-shot member.
TIE_BREAK = (
    ("What is the capital of Peru?", "Lima"),
    ("What is 20 + 13?", "33"),
    ("Is Africa a country?", "No"),
    ("Is the Moon smaller than the Earth?", "Yes"),
    ("Who invented the telephone?", "Alexander Graham Bell"),
    ("What is the largest desert on Earth?", "Antarctica"),
    ("What is 6 times 3?", "18"),
    ("How many days are in a week?", "7"),
    ("What is the chemical symbol for lead?", "Pb"),
)
COPYING = (
    ("What is the capital of Norway?", "The capital of Norway is Oslo.", "Oslo"),
    ("What is 14 + 9?", "14 + 9 = 25", "25"),
    (
        "Who wrote Robinson Crusoe?",
        "Robinson Crusoe was written by Jane Austen in 1719.",
        "Jane Austen",
    ),
    ("How many wheels does a car have?", "A car has six wheels.", "six"),
    ("What is the chemical symbol for gold?", "Gold is a metal with the symbol Au.", "Au"),
    (
        "What is the smallest bird?",
        "The smallest bird is the hummingbird, which is very light.",
        "hummingbird",
    ),
    (
        "Which country has the most people?",
        "India is the country that has the most people.",
        "India",
    ),
)
MAX_SHORT_WORDS = 5
_YES_NO = re.compile(
    r"(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should|may|must)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:why|how (?!many|much|old|far|tall|long|big)|explain|describe|write)\b", re.IGNORECASE
)
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the is are was were be been of in on at to for by with and or but that which who it "
        "its this these those as from has have had do does did not also called known actually "
        "likely probably approximately about",
    )
)


def chat(session: CompletionSession, question: str) -> tuple[str, str | None]:
    """One sentence, and the short answer copied out of it (`None` for an open question)."""
    messages = [{"role": "system", "content": CHAT_SYSTEM}]
    for asked, answered in (*CHAT_TURNS, (question, "")):
        messages.append({"role": "user", "content": asked})
        if answered:
            messages.append({"role": "assistant", "content": answered})
    sentence = first_sentence(session.chat(messages, max_tokens=48, stop="\n"))
    return sentence, _short_answer(session, question, sentence)


def few_shot(session: CompletionSession, question: str) -> tuple[str, str | None]:
    """A quiz answer; it is also the short answer, unless it is a whole phrase."""
    text = session.complete(
        _quiz("A quiz with short, correct answers.", QUIZ, question), max_tokens=24
    )
    short = len(text.split()) <= MAX_SHORT_WORDS and not _OPEN.match(question)
    return text, text.strip(" .") if short and text else None


def choose(session: CompletionSession, question: str, candidates: Sequence[str]) -> str:
    """The candidate text that the model itself would rather write.

    The prompt does not show the candidates, because models of this size pick whatever comes first
    (up to 100 % of the time). The choice is a preference, not a check: it was right in 6 of 15 real
    splits, where always taking the few-shot answer is right in 5.
    """
    originals = {candidate[:1].upper() + candidate[1:]: candidate for candidate in candidates}
    prompt = _quiz("Short, correct answers to questions.", TIE_BREAK, question)
    written = session.complete(prompt, max_tokens=48, grammar=one_of(originals))
    return originals.get(written, candidates[0])


def first_sentence(text: str) -> str:
    """The text up to the first full stop that ends a sentence and not an initial."""
    line = text.partition("\n")[0].strip()
    match = re.match(r".*?(?:[^\s.]{3,}|\d)[.!?](?=\s|$)", line)
    return match[0] if match else line


def one_of(texts: Sequence[str] | dict[str, str]) -> str:
    """A grammar (GBNF) that permits only these texts."""
    quoted = " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)
    return f'root ::= " " ({quoted}) "\\n"'


def _quiz(heading: str, examples: Sequence[tuple[str, str]], question: str) -> str:
    turns = "".join(f"Q: {asked}\nA: {answer}\n\n" for asked, answer in examples)
    return f"{heading}\n\n{turns}Q: {' '.join(question.split())}\nA:"


def _short_answer(session: CompletionSession, question: str, sentence: str) -> str | None:
    """The short answer that the sentence gives; checked by hand, 57 of 60 agree with the sentence.

    The model picks among spans of its own sentence and cannot write any other word. When it wrote
    freely, it falsified one in five.
    """
    if _OPEN.match(question):
        return None
    if _YES_NO.match(question) and " or " not in question:
        word = re.match(r"(yes|no)\b", sentence, re.IGNORECASE)
        return word[1].capitalize() if word else None
    candidates = spans(question, sentence)
    if not candidates:
        return None
    examples = "".join(
        f"Question: {asked}\nSentence: {said}\nShort answer: {short}\n\n"
        for asked, said, short in COPYING
    )
    prompt = (
        f"Copy the short answer from the sentence.\n\n{examples}"
        f"Question: {' '.join(question.split())}\nSentence: {sentence}\nShort answer:"
    )
    return session.complete(prompt, max_tokens=16, grammar=one_of(candidates))


def spans(question: str, sentence: str) -> list[str]:
    """Runs of one to five words of the sentence that could be its short answer.

    They contain no word of the question (except numbers) and no inner punctuation. They begin where
    a phrase begins: at the start, or after a stop word, a word of the question, or punctuation.
    """
    asked = {_bare(word) for word in question.split()} - {""}
    asked = {word for word in asked if not word.isdigit()}
    words = sentence.split()

    def skip(word: str) -> bool:
        return not _bare(word) or _bare(word) in _STOP_WORDS or _bare(word) in asked

    found: dict[str, None] = {}
    for start, first in enumerate(words):
        if skip(first) or (start and not skip(words[start - 1]) and not _ends(words[start - 1])):
            continue
        for end in range(start + 1, min(len(words), start + MAX_SHORT_WORDS) + 1):
            last = words[end - 1]
            if end - start > 1 and _ends(words[end - 2]):
                break
            if _bare(last) in asked and _bare(last) not in _STOP_WORDS:
                break
            text = " ".join(words[start:end]).strip(".,;:!?\"'()")
            if text and not skip(last):
                found[text] = None
    return list(found)


def _bare(word: str) -> str:
    return re.sub(r"^\W+|\W+$", "", word).lower()


def _ends(word: str) -> bool:
    return bool(re.search(r"[,;:.!?]$", word)) and not re.fullmatch(r"[A-Z]\.", word)
