"""Kinds of different domain agents that reach into each other: the same key, or a word of it in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.governance.authority import Kind

GENERIC = frozenset(("and", "design", "new", "page", "removal", "report", "selection", "strategy", "test"))
"""Words that say what is done and not to what: a test strategy and a pricing strategy have nothing in common."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another agent's kind, and the words that both keys have."""

    kind: Kind
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.kind.agent}.{self.kind.key}"


def overlaps(agent: str, key: str, kinds: Mapping[str, Sequence[Kind]]) -> tuple[Overlap, ...]:
    """The kinds of other agents that `agent.key` reaches into, by agent and in the order of their lists."""
    own = _words(key)
    found = []
    for other, listed in kinds.items():
        for kind in listed if other != agent else ():
            shared = (own & _words(kind.key)) or ({key} if kind.key == key else frozenset())
            if shared:
                found.append(Overlap(kind, tuple(sorted(shared))))
    return tuple(found)


def _words(key: str) -> frozenset[str]:
    return frozenset(key.lower().replace("-", "_").split("_")) - GENERIC - {""}
