"""Changes of the team as they are told: as JSON, and as lines for a person."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from typing import Any

from core.contract import Json, canonical_json
from core.registry.changes import ABSENT, AgentChange, Changes, KindChange, mode_of

MOST_DIFF_LINES = 60
"""Lines of a procedure's diff; who wants to see more has the file."""
MOST_COMPARED = 2_000
"""Lines of a procedure that are compared; the price of a diff grows with their square."""

_MARKS = {"added": "+", "changed": "~", "inactive": "-", "back": "*", "gone": "-"}


def to_json(found: Changes) -> Json:
    """Roles under `added`, `inactive` and `back`; what changes with old and new value; a procedure as a diff."""
    return {
        **{what: [a.role for a in found.of(what)] for what in ("added", "inactive", "back")},
        "changed": [_agent_json(a) for a in found.of("changed")],
        "kinds": [
            {"change": k.what, "agent": k.agent, "kind": k.kind, "keys": _old_and_new(k.keys)} for k in found.kinds
        ],
        "authority": [
            {"agent": a.agent, "kind": a.kind, "old": a.old, "new": a.new, "reason": a.reason} for a in found.authority
        ],
        "contradictions": [
            {
                "agent": c.agent,
                "kind": c.kind,
                "granted": c.grant.mode,
                "by": c.grant.by,
                "reason": c.grant.reason,
                "says": c.says,
            }
            for c in found.contradictions
        ],
        "sections": [{"place": s.place, "old": s.old, "new": s.new} for s in found.sections],
    }


def to_lines(found: Changes) -> list[str]:
    """The changes for a person: + added, ~ changed, - gone, * back; nothing for no changes."""
    first = not found.sections and all(a.old is None for a in found.authority) and len(found.agents) > 1
    lines = [line for agent in found.agents for line in _agent_lines(agent)]
    lines += [f"~ {s.place}: {_short(s.old)} → {_short(s.new)}" for s in found.sections]
    kinds = [k for k in found.kinds if k.what != "added"] if first else found.kinds
    lines += [line for kind in kinds for line in _kind_lines(kind)]
    lines += [f"~ {a.agent} {a.kind}: {a.old} → {a.new} ({a.reason})" for a in found.authority if a.old is not None]
    given = sum(a.old is None for a in found.authority)
    lines += [f"+ authority over {given} kinds, as the files list them"] if given else []
    for c in found.contradictions:
        says = "no longer name it" if c.says == ABSENT else f"now say {mode_of(c.says)}"
        lines.append(f"? {c.agent} {c.kind}: {c.grant.by} made it {c.grant.mode}, the files {says}; this is asked")
    return lines


def _agent_json(agent: AgentChange) -> Json:
    keys = {key: values for key, values in agent.keys.items() if key != "sop"}
    told: Json = {"role": agent.role, "keys": _old_and_new(keys)}
    if "sop" in agent.keys:
        told["sop"] = list(sop_diff(*agent.keys["sop"]))
    return told


def _old_and_new(keys: Any) -> Json:
    return {key: {"old": old, "new": new} for key, (old, new) in keys.items()}


def _agent_lines(agent: AgentChange) -> Iterator[str]:
    said = {
        "added": f"{agent.columns.get('agent_type')}, {agent.columns.get('origin')}",
        "inactive": "no file names it any more; it becomes inactive and keeps its history",
        "back": f"active again, {agent.columns.get('origin')}",
    }.get(agent.what, "")
    yield f"{_MARKS[agent.what]} {agent.role}" + (f" ({said})" if said else "")
    for key, (old, new) in agent.keys.items():
        if key == "sop":
            yield "    sop:"
            yield from (f"      {line}" for line in sop_diff(old, new))
        else:
            yield f"    {key}: {_short(old)} → {_short(new)}"


def _kind_lines(kind: KindChange) -> Iterator[str]:
    yield f"{_MARKS[kind.what]} {kind.agent} {kind.kind}"
    yield from (f"    {key}: {_short(old)} → {_short(new)}" for key, (old, new) in kind.keys.items())


def sop_diff(old: str, new: str) -> Iterator[str]:
    """The lines in which two procedures differ, with two around them, as a unified diff without its header."""
    sides = (old.splitlines()[:MOST_COMPARED], new.splitlines()[:MOST_COMPARED])
    lines = itertools.islice(difflib.unified_diff(*sides, n=2, lineterm=""), 2, None)
    shown = list(itertools.islice(lines, MOST_DIFF_LINES + 1))
    yield from shown[:MOST_DIFF_LINES]
    if len(shown) > MOST_DIFF_LINES:
        yield "…"


def _short(value: Any) -> str:
    text = "nothing" if value in (None, [], {}, "") else value if isinstance(value, str) else canonical_json(value)
    return text if len(text) <= 160 else text[:159] + "…"
