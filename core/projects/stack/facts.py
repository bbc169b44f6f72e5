"""Facts about a project, each with the evidence that a person can check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from core.contract import Json
from core.projects.stack.vocabulary import WORDS, Category, is_category
from core.projects.tree import table

MOST_OF_A_WORD = 12
"""Facts that are kept of one word: a repository of a thousand packages must not make a record of a thousand rows."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`evidence` is a part of a sentence, with the file; `package` the folder of the package in a monorepo."""

    category: Category
    word: str
    evidence: str
    package: str = ""


@dataclass(frozen=True)
class Stack:
    """What a project is made of, in the order of the vocabulary's categories; of a word the outermost facts first."""

    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Stack:
        """The facts in order, each once, and of each word at most `MOST_OF_A_WORD`."""
        order = {category: place for place, category in enumerate(WORDS)}
        by_word: dict[tuple[int, str], list[Fact]] = {}
        for fact in dict.fromkeys(facts):
            by_word.setdefault((order[fact.category], fact.word), []).append(fact)
        kept: list[Fact] = []
        for key in sorted(by_word):
            kept += sorted(by_word[key], key=_place)[:MOST_OF_A_WORD]
        return cls(tuple(kept))

    def words(self, category: Category) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fact.word for fact in self.facts if fact.category == category))

    def about(self, category: Category, word: str) -> tuple[Fact, ...]:
        return self._found.get((category, word), ())

    def has(self, category: Category, word: str) -> bool:
        return (category, word) in self._found

    @cached_property
    def _found(self) -> dict[tuple[str, str], tuple[Fact, ...]]:
        found: dict[tuple[str, str], tuple[Fact, ...]] = {}
        for fact in self.facts:
            key = (fact.category, fact.word)
            found[key] = (*found.get(key, ()), fact)
        return found

    def as_json(self) -> list[Json]:
        return [asdict(fact) for fact in self.facts]

    @classmethod
    def from_json(cls, rows: Any) -> Stack:
        """The stack that `as_json` wrote; rows of another shape, or with words of another version, are left out."""
        return cls(tuple(_facts(rows if isinstance(rows, list) else [])))


def _place(fact: Fact) -> tuple[int, str]:
    """Outermost packages first; within one, and among the counts of a language, evidence stays as it was ranked."""
    if fact.category == "language" or not fact.package:
        return 0, ""
    return fact.package.count("/") + 1, fact.package


def _facts(rows: list[Any]) -> Iterator[Fact]:
    for row in map(table, rows):
        category, word = row.get("category"), row.get("word")
        evidence, package = row.get("evidence"), row.get("package", "")
        told = all(isinstance(value, str) for value in (word, evidence, package))
        if is_category(category) and told and word in WORDS[category]:
            yield Fact(category, str(word), str(evidence), str(package))
