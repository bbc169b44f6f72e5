"""Stacks of small real repositories, for the tests that ask what is found in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.projects.stack.facts import Stack
from core.projects.stack.scan import stack_of
from core.projects.stack.vocabulary import WORDS, Category
from core.projects.tree import Tree
from tests.unit.git_project import write

EVERY: tuple[Category, ...] = tuple(WORDS)


def stack(root: Path, files: Mapping[str, str]) -> Stack:
    """The stack of files on disk, all of them taken as listed by git."""
    write(root, files)
    return stack_of(Tree.of(root, tuple(files)))


def words(found: Stack, *categories: Category) -> list[str]:
    """The words of these categories, of all when none is named."""
    return [word for category in categories or EVERY for word in found.words(category)]


def evidence(found: Stack, category: Category, word: str) -> list[str]:
    return [fact.evidence for fact in found.about(category, word)]
