"""Which agents are meant: by tier, type, phase, capability, technology, runtime, or by words that stand in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.store.rows import AgentRow


@dataclass(frozen=True, slots=True)
class Facet:
    """A side from which agents are asked for. `prefixes` name it in a typed query, the first one everywhere else."""

    prefixes: tuple[str, ...]
    values: Callable[[AgentRow], Sequence[str]]

    @property
    def name(self) -> str:
        return self.prefixes[0]


FACETS = (
    Facet(("tier",), lambda a: (str(a.tier),)),
    Facet(("type",), lambda a: (a.agent_type,)),
    Facet(("phase",), lambda a: (a.phase,) if a.phase else ()),
    Facet(("capability", "cap"), lambda a: a.capabilities),
    Facet(("technology", "tech"), lambda a: a.technologies),
    Facet(("runtime",), lambda a: (a.runtime,)),
)
_BY_PREFIX = {prefix: facet for facet in FACETS for prefix in facet.prefixes}


@dataclass(frozen=True, slots=True)
class AgentQuery:
    """What is asked. Values of one facet widen it, facets narrow each other; `words` must all stand in an agent's
    role, names, description, capabilities or technologies, and none of `without` may. All in lower case."""

    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def parse_query(text: str) -> AgentQuery:
    """The query that somebody typed: `tech:django phase:I1 testing !flask`. Any text is one.

    A name before the colon that is no facet makes the whole a word; a facet without a value asks for nothing yet.
    """
    facets: dict[str, list[str]] = {}
    words, without = [], []
    for piece in text.casefold().split():
        prefix, colon, values = piece.partition(":")
        if colon and prefix in _BY_PREFIX:
            facets.setdefault(_BY_PREFIX[prefix].name, []).extend(v for v in values.split(",") if v)
        elif piece.startswith("!"):
            without += [piece[1:]] if len(piece) > 1 else []
        else:
            words.append(piece)
    asked = tuple((name, tuple(values)) for name, values in facets.items() if values)
    return AgentQuery(asked, tuple(words), tuple(without))


def narrowed(
    agents: Iterable[AgentRow], query: AgentQuery, also: Callable[[AgentRow], str] = lambda _: ""
) -> tuple[AgentRow, ...]:
    """The agents that are meant, in their order; `also` gives further text that words may stand in.

    A value that no agent has is taken as the beginning of one, so a query narrows while it is typed.
    """
    found = tuple(agents)
    for name, values in query.facets:
        found = _having(found, _BY_PREFIX[name], values)
    return tuple(a for a in found if _holds_words(a, query, also(a)))


def known_values(agents: Iterable[AgentRow], name: str) -> tuple[str, ...]:
    """Every value that some agent has for the facet of that name, sorted."""
    return tuple(sorted({value.casefold() for a in agents for value in _BY_PREFIX[name].values(a)}))


def _having(agents: tuple[AgentRow, ...], facet: Facet, values: tuple[str, ...]) -> tuple[AgentRow, ...]:
    theirs = [(a, {v.casefold() for v in facet.values(a)}) for a in agents]
    known = set[str]().union(*(own for _, own in theirs))
    exact = {v for v in values if v in known}
    begun = tuple(v for v in values if v not in known)
    return tuple(a for a, own in theirs if own & exact or (begun and any(v.startswith(begun) for v in own)))


def _holds_words(agent: AgentRow, query: AgentQuery, also: str) -> bool:
    if not query.words and not query.without:
        return True
    pieces = (agent.role, agent.display_name, agent.description, *agent.capabilities, *agent.technologies, also)
    text = "\n".join(pieces).casefold()
    return all(word in text for word in query.words) and not any(word in text for word in query.without)
