"""E1's agents: what the release's signals say, what the code still owes, and what to do about it next.

Each list has at least one entry: where nothing was found, the entry says what was looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.agents.bench import Bench
from core.agents.builds import export
from core.agents.debt import survey
from core.agents.insights import RULES, analyse
from core.agents.sunset import ENTRIES, dated, find_deprecations, find_old_flags
from core.agents.telemetry import is_number
from core.contract import AgentRequest, AgentResponse, Json, blocked, digest_of, succeeded
from core.phrases import counted
from core.projects import git
from core.sanitise import one_line

HARVESTER, SYNTHESIZER, REGISTRAR = "signal-harvester", "insight-synthesizer", "debt-registrar"
PROPOSER, PLANNER = "refactor-proposer", "sunset-planner"
IMPROVEMENTS = 5
CRITERIA = 6
"""Entries of one file that a proposal names as acceptance criteria; the others come with the next release."""
NONE = "none"
"""The id of an entry that stands for "nothing found"."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The code as the target branch has it now, exported to `root`."""

    repo: Path
    commit: str
    root: Path
    paths: tuple[str, ...]


@contextlib.asynccontextmanager
async def _source(request: AgentRequest, bench: Bench, role: str) -> AsyncIterator[_Source | None]:
    """The released code; None for a work item without a project. Gone again afterwards."""
    project = request.context.get("project")
    if not project:
        yield None
        return
    repo = Path(project["path"])
    commit = await git.head(repo, f"refs/heads/{project['target']}")
    root = await export(repo, commit, bench.scratch / role / "source")
    try:
        yield _Source(repo, commit, root, await asyncio.to_thread(_paths, root))
    finally:
        await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)


def _paths(root: Path) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()))


async def signal_harvester(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The snapshot's figures, and how each changed since the release before."""
    snapshot = request.input_artifact
    signals = _figures(snapshot.get("signals") or ())
    missing = [f"{absent['name']}: {absent['reason']}" for absent in snapshot.get("not_measured") or ()]
    if not signals:
        hint = "Run the work item's phases or ask its monitor first; telemetry is collected from these."
        return blocked(HARVESTER, {"signals": [], "changes": []}, missing or ["signals"], hint)
    before = _latest((request.context.get("journal") or {}).get("previous") or ())
    output = {
        "signals": signals,
        "changes": _changes(before, signals),
        "compared_with": "the release before" if before else "nothing: this is the first release that was measured",
        "not_measured": list(snapshot.get("not_measured") or ()),
    }
    return succeeded(HARVESTER, output)


def _latest(previous: Sequence[Json]) -> list[Json]:
    """The signals of the release before; the journal names the newest release first."""
    return _figures(previous[0].get("signals") or ()) if previous else []


def _figures(signals: Sequence[Json]) -> list[Json]:
    """The signals that have a name and a figure; a snapshot may have been written by hand."""
    return [
        signal
        for signal in signals
        if isinstance(signal, dict) and signal.get("name") and is_number(signal.get("value"))
    ]


def _changes(before: Sequence[Json], now: Sequence[Json]) -> list[Json]:
    """What differs, largest relative change first. Only like is compared with like: same name, same unit."""
    known = {(signal["name"], signal.get("unit")): signal["value"] for signal in before}
    found: list[Json] = []
    for signal in now:
        old, new = known.get((signal["name"], signal.get("unit"))), signal["value"]
        if old is not None and new != old:
            share = round((new - old) / abs(old), 4) if old else None
            found.append({"name": signal["name"], "before": old, "now": new, "change": new - old, "share": share})
    return sorted(found, key=lambda change: -abs(change["share"] or 0))


async def insight_synthesizer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The rules' findings over the signals, each with the signals it rests on."""
    harvest = request.context.get("results", {}).get(HARVESTER) or {"signals": request.input_artifact.get("signals")}
    if not harvest.get("signals"):
        hint = "Telemetry comes first; see what the signal-harvester misses."
        return blocked(SYNTHESIZER, {"telemetry": {"analyzed": False}, "insights": []}, ["signals"], hint)
    insights = analyse(harvest["signals"], harvest.get("changes") or ())
    telemetry = {"analyzed": True, "signals": len(harvest["signals"]), "rules": len(RULES)}
    return succeeded(SYNTHESIZER, {"telemetry": telemetry, "insights": insights})


async def debt_registrar(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The debt in the released code, costliest first."""
    async with _source(request, bench, REGISTRAR) as source:
        if source is None:
            text = "This work item has no project, so there is no code that could owe anything."
            return succeeded(REGISTRAR, {"debt": [_none(text, "no project")], "files": 0})
        found = await asyncio.to_thread(survey, source.root, source.paths)
    output = {
        "debt": found.entries(),
        "total": len(found.debts),
        "hours": sum(debt.cost for debt in found.debts),
        "files": found.files,
        "skipped": found.skipped,
        "unreadable": list(found.unreadable),
        "commit": source.commit,
    }
    return succeeded(REGISTRAR, output, tool="radon")


def _none(text: str, *looked_at: str) -> Json:
    """The entry for "nothing found"; E1 counts it by what was looked at."""
    return {"id": NONE, "text": text, "location": "", "cost": 0, "evidence": list(looked_at)}


async def refactor_proposer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """What to improve: insights that ask for it, and the files that owe most; each as a request of its own."""
    results = request.context.get("results", {})
    insights = [found for found in results.get(SYNTHESIZER, {}).get("insights", ()) if found.get("rule") != NONE]
    debts = [debt for debt in results.get(REGISTRAR, {}).get("debt", ()) if debt.get("id") != NONE]
    name = str(request.context.get("project", {}).get("name", "the project"))
    asked = _asked(request.context.get("answers", {}).get("improvements"))
    proposals = [*(_by_a_human(text) for text in asked), *(_by_insight(found, name) for found in insights)]
    proposals = [*proposals, *(_by_file(path, owed, name) for path, owed in _by_cost(debts))][:IMPROVEMENTS]
    if not proposals:
        looked = f"the insights and {counted(results.get(REGISTRAR, {}).get('files', 0), 'file')}"
        entry = _none(f"Looked at {looked}: no insight passed its limit, and no debt is registered.", looked)
        return succeeded(PROPOSER, {"improvements": [entry], "backlog": {"added": [], "updated": [entry]}})
    improvements = [improvement for improvement, _ in proposals]
    waiting = {known["about"]: known["work_item"] for known in _waiting(request)}
    added = [{**item, "about": found["id"]} for found, item in proposals if found["id"] not in waiting]
    updated = [{**found, "work_item": waiting[found["id"]]} for found in improvements if found["id"] in waiting]
    return succeeded(PROPOSER, {"improvements": improvements, "backlog": {"added": added, "updated": updated}})


def _waiting(request: AgentRequest) -> Sequence[Json]:
    """What was proposed after earlier releases and is neither accepted nor cancelled."""
    return (request.context.get("journal") or {}).get("proposed") or ()


_Proposal = tuple[Json, Json]
"""An improvement, and the request that would bring it about. What is about the same has the same id at every release:
no figure is in it."""


def _asked(answer: object) -> list[str]:
    """What a human wants improved: one text, or several."""
    texts = answer if isinstance(answer, list) else [answer] if answer else []
    return [line for line in (one_line(str(text), 500) for text in texts) if line]


def _by_a_human(text: str) -> _Proposal:
    improvement = {"id": digest_of(["human", text])[:12], "text": text, "evidence": ["human"], "cost": 0}
    return improvement, {"title": one_line(text, 80), "type": "chore", "body": text}


def _by_insight(insight: Json, project: str) -> _Proposal:
    signals = list(insight["signals"])
    improvement = {
        "id": digest_of(["insight", insight["rule"], insight["aim"]])[:12],
        "text": f"{insight['aim']} {insight['text']}",
        "evidence": signals,
        "cost": 0,
    }
    criteria = [
        f"It is written down what caused this: {insight['text']}",
        f"At the next release the rule '{insight['rule']}' no longer speaks for {', '.join(signals)}.",
        f"All tests of {project} pass, as they did before.",
    ]
    body = _body(_OF_INSIGHTS, insight["text"], [f"Signal: {name}" for name in signals], criteria, project, "")
    return improvement, {"title": one_line(insight["aim"].rstrip("."), 80), "type": "chore", "body": body}


def _by_cost(debts: Sequence[Json]) -> list[tuple[str, list[Json]]]:
    """Files with their entries, the file that owes most first."""
    files: dict[str, list[Json]] = {}
    for debt in debts:
        files.setdefault(str(debt["location"]).rpartition(":")[0], []).append(debt)
    return sorted(files.items(), key=lambda pair: (-sum(debt["cost"] for debt in pair[1]), pair[0]))


def _by_file(path: str, debts: list[Json], project: str) -> _Proposal:
    cost = sum(debt["cost"] for debt in debts)
    named = debts[:CRITERIA]
    entries, hours = counted(len(debts), "entry", "entries"), f"{cost:g} {'hour' if cost == 1 else 'hours'}"
    text = f"Pay the debt in {path}: {entries}, about {hours}. First: {named[0]['text']}"
    improvement = {
        "id": digest_of(["debt", path])[:12],
        "text": one_line(text, 400),
        "evidence": [debt["id"] for debt in debts],
        "cost": cost,
    }
    criteria = [_criterion(debt) for debt in named]
    criteria += [f"No new debt is registered for {path}.", f"All tests of {project} pass, as they did before."]
    fact = f"{path} has {entries} in the debt register, about {hours} of work."
    details = [f"{debt['text']} ({debt['location']})" for debt in named]
    body = _body(_OF_DEBT, fact, details, criteria, project, path)
    return improvement, {"title": one_line(f"Pay the technical debt in {path}", 80), "type": "chore", "body": body}


def _criterion(debt: Json) -> str:
    """What must hold when the entry is paid, so that it can be measured again."""
    kind, text, place = debt.get("kind"), debt["text"], debt["location"]
    if kind == "complexity":
        return f"{text.partition(' has ')[0]} in {place.rpartition(':')[0]} has a cyclomatic complexity of at most 10."
    if kind == "length":
        return f"{text.rpartition(' is ')[0]} in {place.rpartition(':')[0]} is at most 60 lines long."
    if kind == "maintainability":
        return f"{place.rpartition(':')[0]} has a maintainability index of at least 20."
    return f"What the comment at {place} asks for is done, or the comment is removed with a reason: {text}"


@dataclass(frozen=True, slots=True)
class _Case:
    """What a request says besides its measured facts; `{project}` and `{path}` are filled in."""

    who: str
    value: str
    how: str
    risk: str
    mitigation: str


_OF_DEBT = _Case(
    who="The developers who maintain {project} meet this in {path} whenever they change it.",
    value="The next change to {path} costs less time, so that developers of {project} release smaller changes sooner.",
    how="Change the structure step by step, with the tests run after each step, and leave the behaviour as it is.",
    risk="Behaviour may change unnoticed while the structure changes (severity: medium).",
    mitigation="Cover what is touched with tests first.",
)
_OF_INSIGHTS = _Case(
    who="The team that releases {project} meets this at every release, in what the signals name.",
    value="Releases of {project} need less work and less waiting, so that its users get changes sooner.",
    how="Look at what the journal holds behind the signals, change one thing, and compare at the next release.",
    risk="What is saved here may be paid elsewhere (severity: low).",
    mitigation="Compare all signals of the next release, not only these.",
)


def _body(case: _Case, fact: str, details: Sequence[str], criteria: Sequence[str], project: str, path: str) -> str:
    """A request in the form that the Definition phase reads; its facts and criteria are the measured ones."""
    listed, numbered = ("\n".join(f"- {text}" for text in texts) for texts in (details, criteria))
    words = {"project": project, "path": path}
    return f"""## Background
{fact} It was measured after the last release of {project}.

{listed}

## Who, where and when
{case.who.format(**words)}
It should be done before the next release.

## Value
{case.value.format(**words)}

## How
{case.how}

## Acceptance criteria
{numbered}

## Risks
- {case.risk}
  Mitigation: {case.mitigation}
"""


async def sunset_planner(request: AgentRequest, bench: Bench) -> AgentResponse:
    """What is announced to go: deprecations and old feature flags, each with the version it goes back to."""
    planned = [
        {"id": digest_of(["human", text])[:12], "text": text, "location": "", "since": "", "kind": "human"}
        for text in _asked(request.context.get("answers", {}).get("sunset"))
    ]
    async with _source(request, bench, PLANNER) as source:
        if source is None:
            nothing = _none("This work item has no project, so there is no code to retire.", "no project")
            return succeeded(PLANNER, {"sunset": planned or [nothing]})
        found, files = await asyncio.to_thread(find_deprecations, source.root, source.paths)
        flags = await find_old_flags(source.repo, source.commit, source.root, source.paths)
    entries = [*flags, *[await dated(source.repo, source.commit, item) for item in found[:ENTRIES]]]
    sunset = [*planned, *(item.to_json() for item in entries)]
    looked = counted(files, "file")
    nothing = _none(f"No deprecation marker and no feature flag of three or more releases in {looked}.", looked)
    return succeeded(PLANNER, {"sunset": sunset or [nothing], "files": files, "commit": source.commit}, tool="git")
