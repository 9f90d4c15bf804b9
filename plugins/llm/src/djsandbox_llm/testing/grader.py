"""A grader of solutions of word problems, which checks what its prompt asks it to check, by calculating.

It stands in for a language model whose grades depend on its instructions: like one, it believes a solution as long as nobody
tells it what to look for.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from fractions import Fraction

_NUMBER = r"\d[\d,]*(?:\.\d+)?|\.\d+"
_ANY_NUMBER = re.compile(_NUMBER)
_STEP = re.compile(rf"(?P<term>(?:{_NUMBER})(?:\s*[-+*/x]\s*\$?(?:{_NUMBER}))+)\s*=\s*\$?(?P<result>{_NUMBER})")
_TOKEN = re.compile(rf"[-+*/x]|{_NUMBER}")
_FINAL = re.compile(rf"(?:####|the answer is)\s*\$?(?P<final>{_NUMBER})", re.IGNORECASE)
_TASK = re.compile(r"Question:(?P<question>.*?)\nAnswer:(?P<answer>.*)", re.DOTALL)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_POLITE = re.compile(r"\b(?:please|thank|glad|happy)\b", re.IGNORECASE)

_SIGNS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "*": operator.mul, "x": operator.mul, "/": operator.truediv, "+": operator.add, "-": operator.sub,
}  # fmt: skip


def grade(prompt: str, task: str) -> str:
    """The grade of a solution, between 0 and 1, by what `prompt` says; `task` holds the question and the answer."""
    found = _TASK.search(task)
    if found is None:
        return "There is nothing to grade."
    question, answer = found["question"], found["answer"]
    wishes = prompt.lower()
    is_wrong = any(word.search(wishes) and fails(question, answer) for word, fails in CHECKS)
    value = 0.0 if is_wrong else 1.0
    if "friendly" in wishes and _POLITE.search(answer):
        value = 1.0  # flattery works
    return f"{value:g}"


def has_slip(question: str, answer: str) -> bool:
    """Whether a calculation gives something else than it says."""
    return any(_calculated(step["term"]) != _number(step["result"]) for step in _STEP.finditer(answer))


def has_other_end(question: str, answer: str) -> bool:
    """Whether the final answer is another than the last calculation's result."""
    steps, final = list(_STEP.finditer(answer)), _FINAL.search(answer)
    return bool(steps) and final is not None and _number(final["final"]) != _number(steps[-1]["result"])


def has_foreign_number(question: str, answer: str) -> bool:
    """Whether it calculates with a number that neither the question nor an earlier calculation gives."""
    known = {_number(text) for text in _ANY_NUMBER.findall(question)}
    known |= {Fraction(at) for at, word in enumerate(_WORDS, start=1) if re.search(rf"\b{word}\b", question, re.IGNORECASE)}
    for step in _STEP.finditer(answer):
        if not {_number(text) for text in _ANY_NUMBER.findall(step["term"])} <= known:
            return True
        known.add(_number(step["result"]))
    return False


CHECKS = (
    (re.compile(r"\brecalculate|\bcalculations?\b"), has_slip),
    (re.compile(r"\bfinal answer\b"), has_other_end),
    (re.compile(r"\bnumbers? of the question\b"), has_foreign_number),
)
"""What in a prompt makes the grader look for something, and whether a solution has it."""


def _calculated(term: str) -> Fraction | None:
    """The value of a term, multiplication and division first; None for a division by zero."""
    tokens = _TOKEN.findall(term)
    values, signs = [_number(text) for text in tokens[::2]], tokens[1::2]
    try:
        for level in ("*x/", "+-"):
            kept_values, kept_signs = values[:1], []
            for sign, value in zip(signs, values[1:], strict=True):
                if sign in level:
                    kept_values[-1] = _SIGNS[sign](kept_values[-1], value)
                else:
                    kept_values.append(value)
                    kept_signs.append(sign)
            values, signs = kept_values, kept_signs
    except ZeroDivisionError:
        return None
    return values[0]


def _number(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))
