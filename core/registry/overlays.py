"""A team's own agents: `agents.d/*.yaml` laid over `agents.yaml`, each value with the file and line it stands on.

An overlay holds `version: 1` and `agents:`. An entry whose role is known replaces the keys that it has, lists and
mappings whole; any other entry adds an agent and must be complete. No two overlays say the same thing, so their order
means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.registry.documents import Document, Place, Problem, did_you_mean, number_wanted
from core.registry.schema import AgentEntry, CatalogFile
from core.registry.sources import FILE_NAME

VERSION = 1
_KEYS = ("version", "agents")
_NEEDED = tuple(name for name, known in AgentEntry.model_fields.items() if known.is_required())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an agent comes from: the file with its entry, and the overlays that change keys of it."""

    file: str
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        return " + ".join([self.file, *(f"{file}: {', '.join(keys)}" for file, keys in self.changes)])


@dataclass(frozen=True, slots=True)
class Merged:
    """The team's data as all its files together say it; `homes` leads from a place to the file that it comes from."""

    base: Document
    data: Any
    origins: Mapping[str, Origin]
    homes: Mapping[Place, tuple[Document, Place]] = field(repr=False)

    def problem(self, place: Place, text: str) -> Problem:
        for size in range(len(place), 0, -1):
            if home := self.homes.get(place[:size]):
                document, start = home
                return replace(document.problem((*start, *place[size:]), text), source=document.source)
        return self.base.problem(place, text)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An agent's entry in an overlay."""

    document: Document
    place: Place
    role: str
    data: Mapping[str, Any]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key in self.data if key != "role")

    @property
    def is_complete(self) -> bool:
        return set(_NEEDED) <= set(self.data)

    def problem(self, key: str, text: str) -> Problem:
        return _problem(self.document, (*self.place, key), text)


def merged(base: Document, overlays: Sequence[Document]) -> tuple[Merged, list[Problem]]:
    """The overlays laid over the base, and what is wrong with them as overlays."""
    problems = [problem for overlay in overlays for problem in _structure(overlay)]
    by_role: dict[str, list[_Entry]] = {}
    for overlay in overlays:
        for entry in _entries(overlay):
            by_role.setdefault(entry.role, []).append(entry)
    agents = base.data.get("agents") if isinstance(base.data, dict) else None
    if not isinstance(agents, list):
        return Merged(base, base.data, {}, {}), problems
    laying = _Laying(list(agents))
    for role, entries in by_role.items():
        clashes = list(_clashes(entries))
        problems += clashes or laying.lay(role, entries)
    data = {**base.data, "agents": laying.agents}
    return Merged(base, data, laying.origins, laying.homes), problems


class _Laying:
    """The agents while entries are laid over them."""

    def __init__(self, agents: list[Any]) -> None:
        self.agents = agents
        self.homes: dict[Place, tuple[Document, Place]] = {}
        self._at: dict[str, int] = {}
        for n, entry in enumerate(agents):
            if isinstance(entry, dict) and isinstance(entry.get("role"), str):
                self._at.setdefault(entry["role"], n)
        self._known = frozenset(self._at)
        self.origins = {role: Origin(FILE_NAME) for role in self._at}

    def lay(self, role: str, entries: Sequence[_Entry]) -> list[Problem]:
        """Lay all entries of one role, which say different things; what is wrong when they cannot be laid."""
        if role not in self._known:
            # Whichever file has the whole agent stands for it; the others change it.
            first, *others = sorted(entries, key=lambda e: not e.is_complete)
            if missing := [key for key in _NEEDED if all(key not in e.data for e in entries)]:
                return [self._incomplete(first, missing)]
            self._at[role], self.origins[role] = len(self.agents), Origin(first.document.source)
            self.homes["agents", len(self.agents)] = (first.document, first.place)
            self.agents.append(dict(first.data))
            entries = others
        n = self._at[role]
        for entry in entries:
            self.agents[n] = {**self.agents[n], **entry.data}
            self.homes |= {("agents", n, key): (entry.document, (*entry.place, key)) for key in entry.keys}
        changes = tuple((e.document.source, e.keys) for e in entries if e.keys)
        self.origins[role] = replace(self.origins[role], changes=changes)
        return []

    def _incomplete(self, entry: _Entry, missing: Sequence[str]) -> Problem:
        hint = did_you_mean(entry.role, self._known)
        return entry.problem("role", f"{entry.role!r} is a new role, and its entry has no {', '.join(missing)}{hint}")


def _structure(overlay: Document) -> Iterator[Problem]:
    """What is wrong with a file as an overlay; the agents' own keys are checked when they are merged."""
    data = overlay.data
    if not isinstance(data, dict):
        what = "is empty" if data is None else "is not a mapping"
        yield _problem(overlay, (), f"{what}; an overlay holds `version: {VERSION}` and `agents:`")
        return
    for key in data:
        if key not in _KEYS:
            elsewhere = key in CatalogFile.model_fields
            hint = "; it stands in agents.yaml only" if elsewhere else did_you_mean(key, _KEYS)
            yield _problem(overlay, (key,), f"is not a key of an overlay{hint}")
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        found = f"is {version!r}" if "version" in data else "is missing"
        yield _problem(overlay, ("version",), f"{found}; it {number_wanted(VERSION, version)}")
    if not isinstance(data.get("agents"), list):
        found = "must be a list of agents" if "agents" in data else "is missing"
        yield _problem(overlay, ("agents",), found)
        return
    seen: set[str] = set()
    for n, entry in enumerate(data["agents"]):
        role = entry.get("role") if isinstance(entry, dict) else None
        if not isinstance(role, str):
            yield _problem(overlay, ("agents", n), "names no role; an entry is a mapping that begins with `role:`")
        elif role in seen:
            yield _problem(overlay, ("agents", n, "role"), f"{role!r} stands twice; a role names one agent")
        else:
            seen.add(role)


def _entries(overlay: Document) -> Iterator[_Entry]:
    agents = overlay.data.get("agents") if isinstance(overlay.data, dict) else None
    seen: set[str] = set()
    for n, entry in enumerate(agents if isinstance(agents, list) else ()):
        role = entry.get("role") if isinstance(entry, dict) else None
        if isinstance(role, str) and role not in seen:
            seen.add(role)
            yield _Entry(overlay, ("agents", n), role, entry)


def _clashes(entries: Sequence[_Entry]) -> Iterator[Problem]:
    """A key of a role that two overlays set: neither goes before the other, so one of them has to yield."""
    owner: dict[str, _Entry] = {}
    for entry in entries:
        twice = [key for key in entry.keys if key in owner]
        if twice:
            other = owner[twice[0]]
            line = other.document.line_of((*other.place, twice[0]))
            where = f"{other.document.source}:{line}"
            also = f" (and so {_are(twice[1:])})" if twice[1:] else ""
            yield entry.problem(twice[0], f"is set in {where} too{also}; let one file say it")
        owner |= {key: entry for key in entry.keys if key not in owner}


def _are(keys: Sequence[str]) -> str:
    return f"{'is' if len(keys) == 1 else 'are'} {', '.join(keys)}"


def _problem(document: Document, place: Place, text: str) -> Problem:
    return replace(document.problem(place, text), source=document.source)
