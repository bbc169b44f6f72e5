"""Which agents a project gets, and why: each by facts of the project's stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.contract import Json
from core.projects.stack.facts import Fact, Stack
from core.projects.stack.vocabulary import KEYS, Category
from core.sanitise import one_line
from core.store.rows import AgentRow

ALWAYS = "always"
MOST_EVIDENCE = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent's role, and in a sentence's words what brought it in: `always`, or facts with their evidence."""

    role: str
    reason: str


def select(agents: Iterable[AgentRow], stack: Stack) -> tuple[Choice, ...]:
    """The agents whose `selection` (`select` in agents.yaml) fits the stack: any one of its words is enough.

    Those that every project gets come first, then by the first category that fits (languages, frameworks, types,
    infrastructure, databases), within one in the order of the agents. An agent without one is nobody's choice:
    it belongs to the tiers.
    """
    ranked = [(rank, choice) for agent in agents if (found := _choice(agent, stack)) for rank, choice in [found]]
    return tuple(choice for _, choice in sorted(ranked, key=lambda entry: entry[0]))


def _choice(agent: AgentRow, stack: Stack) -> tuple[int, Choice] | None:
    """The choice with its rank; None when nothing of the project asks for the agent."""
    if agent.selection.get("always"):
        return 0, Choice(agent.role, ALWAYS)
    fitting = list(_fitting(agent.selection, stack))
    if not fitting:
        return None
    ranks = {category: rank for rank, category in enumerate(KEYS, 1)}
    return ranks[fitting[0][0]], Choice(agent.role, _reason(fitting, stack))


def _fitting(selection: Json, stack: Stack) -> Iterator[tuple[Category, str]]:
    """The agent's words that are facts of the project."""
    for category, key in KEYS.items():
        for word in selection.get(key, ()):
            if stack.has(category, word):
                yield category, word


def _reason(fitting: list[tuple[Category, str]], stack: Stack) -> str:
    """The best evidence: of two words one piece each, of one word two."""
    parts = []
    for category, word in fitting[:MOST_EVIDENCE]:
        facts = stack.about(category, word)
        shown = facts if len(fitting) == 1 else facts[:1]
        evidence = dict.fromkeys(map(_with_package, shown))
        parts.append(f"{category.replace('_', ' ')} {word}: {', '.join([*evidence][:MOST_EVIDENCE])}")
    return "; ".join(parts)


def _with_package(fact: Fact) -> str:
    """The evidence; where it names no path, with the package that it is about."""
    if not fact.package or f"`{fact.package}/" in fact.evidence:
        return fact.evidence
    return f"{fact.evidence} in `{one_line(fact.package)}`"
