"""Given/When/Then: one condition per scenario, in a code fence, in a list or in the open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.agents.words.text import plain

_STEP = re.compile(r"^\s{0,40}(?:(?:[-*+]|\d{1,2}[.)]) {1,3})?\*{0,2}(given|when|then|and|but)\b\*{0,2}(?=[ :,])", re.I)
_HEAD = re.compile(
    r"^\s{0,40}(?:(?:[-*+]|#{1,6}|\d{1,2}[.)]) {1,3})?\*{0,2}"
    r"(feature|rule|background|scenario outline|scenario|examples|example)(?: \d{1,3})?\*{0,2} ?:(.*)$",
    re.I,
)
_ASIDE = ("|", '"""', "'''", "@")
_OPENING_LANGUAGES = ("gherkin", "feature", "cucumber")


@dataclass(slots=True)
class _Scenario:
    name: str
    line: int
    steps: list[str] = field(default_factory=list)
    concluded: bool = False
    """A Then was read."""
    counts: bool = True
    """False for a background, whose steps are no condition."""

    def text(self) -> str:
        steps = ", ".join(self.steps)
        return f"{self.name}: {steps}" if self.name else steps


def is_gherkin(language: str, lines: Sequence[str]) -> bool:
    """Whether a code fence holds scenarios: by its language, or by its first line."""
    first = next((line for line in lines if line.strip()), "")
    head = _HEAD.match(first)
    named = head is not None and head[1].lower() not in ("example", "examples", "rule")
    return language.lower() in _OPENING_LANGUAGES or named or opens_scenario(lines, 0)


def opens_scenario(lines: Sequence[str], at: int) -> bool:
    """Whether a scenario begins on this line: its head, a Given, or a When that a Then follows."""
    if at >= len(lines):
        return False
    line = lines[at]
    head = _HEAD.match(line)
    if head:
        return head[1].lower() in ("scenario", "scenario outline", "example")
    step = _STEP.match(line)
    if not step or " then " in line.lower():
        return False
    following = _STEP.match(lines[at + 1]) if at + 1 < len(lines) else None
    word = step[1].lower()
    return word == "given" or (word == "when" and following is not None and following[1].lower() in ("then", "and"))


class Steps:
    """Reads scenarios line by line."""

    def __init__(self, fenced: bool) -> None:
        self._fenced = fenced
        self._scenarios: list[_Scenario] = []
        self._blank_before = False

    @classmethod
    def read(cls, lines: Sequence[tuple[int, str]]) -> list[tuple[str, int]]:
        """(text, line) of each scenario of a fence's numbered lines."""
        steps = cls(fenced=True)
        for number, line in lines:
            steps._take(number, line)
        return steps._found()

    @classmethod
    def read_from(cls, lines: Sequence[str], at: int) -> tuple[list[tuple[str, int]], int, int]:
        """The scenarios that begin at index `at`, the index after them, and the index up to which lines were tried.

        The two differ when the last one lacks its Then: it is prose that begins like a scenario.
        """
        steps = cls(fenced=False)
        while at < len(lines) and steps._take(at + 1, lines[at]):
            at += 1
        last = steps._scenarios[-1]
        return steps._found(), at if last.concluded else last.line - 1, at

    def _found(self) -> list[tuple[str, int]]:
        return [(s.text(), s.line) for s in self._scenarios if s.concluded and s.counts]

    def _take(self, number: int, line: str) -> bool:
        """Whether the line belongs here; a fence's lines all do."""
        if not line.strip():
            self._blank_before = True
            return True
        belongs = self._head(number, line) or self._step(number, line) or self._aside(line) or self._continued(line)
        self._blank_before = False
        return belongs or self._fenced

    def _head(self, number: int, line: str) -> bool:
        head = _HEAD.match(line)
        if not head:
            return False
        word = head[1].lower()
        if word in ("background", "scenario", "scenario outline", "example"):
            self._scenarios.append(_Scenario(plain(head[2]).strip("* "), number, counts=word != "background"))
        return True

    def _step(self, number: int, line: str) -> bool:
        step = _STEP.match(line)
        if not step:
            return False
        word = step[1].lower()
        last = self._scenarios[-1] if self._scenarios else None
        if last is None or (word == "given" and last.concluded and not last.name):
            last = _Scenario("", number)
            self._scenarios.append(last)
        last.steps.append(plain(line[step.start(1) :]).rstrip(",;."))
        last.concluded = last.concluded or word == "then"
        return True

    def _aside(self, line: str) -> bool:
        """Tables, doc strings and tags: part of a scenario, and no words of its condition."""
        return line.lstrip().startswith(_ASIDE) and bool(self._scenarios)

    def _continued(self, line: str) -> bool:
        if self._blank_before or self._fenced or not line.startswith("  "):
            return False
        last = self._scenarios[-1]
        if last.steps:
            last.steps[-1] = f"{last.steps[-1]} {plain(line)}".rstrip(",;.")
        return bool(last.steps)
