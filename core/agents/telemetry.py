"""What a release can be measured by: git, the journal of its phases, and its monitor asked again now.

Every signal says where its figure comes from. A figure that was not obtained is absent, and listed with the reason.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.branch import is_code_file, is_test_file
from core.agents.health import kind_of, probe_monitor
from core.contract import ApmError, Json
from core.projects import git
from core.projects.own_work import own_base

MERGES_SEARCHED = 500
"""How many commits of the target are looked through for a work item's release."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure. `subject` is what it is about where the name alone does not say it: a file, a phase."""

    name: str
    value: float
    unit: str
    source: str
    subject: str = ""

    def to_json(self) -> Json:
        shown: Json = {"name": self.name, "value": self.value, "unit": self.unit, "source": self.source}
        return shown | ({"subject": self.subject} if self.subject else {})


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that was not obtained."""

    name: str
    reason: str


_Found = Signal | Absent


async def collect(request_context: Json, bench: Bench) -> Json:
    """The content of a `telemetry.snapshot`, with `not_measured[]` beside its signals.

    The window begins with the release's first commit (its end where there is none) and ends now.
    """
    now = dt.datetime.now(dt.UTC)
    began, of_git = await _of_git(request_context)
    found = [*of_git, *_of_journal(request_context.get("journal") or {})]
    found += await _of_monitor(request_context, bench)
    return {
        "window": {"from": (began or now).isoformat(timespec="seconds"), "to": now.isoformat(timespec="seconds")},
        "signals": [item.to_json() for item in found if isinstance(item, Signal)],
        "not_measured": [asdict(item) for item in found if isinstance(item, Absent)],
    }


async def _of_git(context: Json) -> tuple[dt.datetime | None, list[_Found]]:
    """When the release began, and what it brought to the target branch."""
    project = context.get("project")
    if not project:
        return None, [Absent("commits, files and lines", "the work item has no project")]
    repo = Path(project["path"])
    try:
        base, head = await _span(repo, project, context)
        lines = await git.git(repo, "log", "--no-merges", "--format=%aI %ae", f"{base}..{head}")
        numbers = await git.git(repo, "diff", "--numstat", "--no-renames", "--no-ext-diff", "-z", base, head, "--")
    except ApmError as error:
        return None, [Absent("commits, files and lines", str(error))]
    commits = [line.partition(" ") for line in lines.splitlines()]
    span = f"{base[:12]}..{head[:12]}"
    found: list[_Found] = [
        Signal("commits", len(commits), "commits", f"git log {span}"),
        Signal("authors", len({author for _, _, author in commits}), "people", f"git log {span}"),
        *_of_changes(numbers, f"git diff --numstat {span}", project.get("tech") or {}),
    ]
    return min((dt.datetime.fromisoformat(at) for at, _, _ in commits), default=None), found


async def _span(repo: Path, project: Json, context: Json) -> tuple[str, str]:
    """The two commits between which the release lies: the merge and its first parent, else the branch."""
    trailers = {"Apm-Work-Item": str(context.get("work_item", {}).get("id", "")), "Apm-Agent": "deploy-orchestrator"}
    for commit in await git.commits(repo, "", f"refs/heads/{project['target']}", limit=MERGES_SEARCHED):
        if trailers.items() <= commit.trailers.items():
            return await git.head(repo, f"{commit.sha}^1"), commit.sha
    head = await git.head(repo, context.get("commit") or project["branch"])
    return await own_base(repo, project, head), head


def _of_changes(numbers: str, source: str, tech: Json) -> Iterator[_Found]:
    """Figures of `git diff --numstat -z`; a binary file counts as a file without lines.

    Where the changes gather is asked of the code alone: tests and the changelog grow with whatever is changed.
    """
    files = [entry.split("\t", 2) for entry in numbers.split("\0") if entry]
    lines = {path: (_count(added), _count(removed)) for added, removed, path in files}
    churn = {path: added + removed for path, (added, removed) in lines.items()}
    yield Signal("files_changed", len(files), "files", source)
    yield Signal("lines_added", sum(added for added, _ in lines.values()), "lines", source)
    yield Signal("lines_removed", sum(removed for _, removed in lines.values()), "lines", source)
    code = {path: n for path, n in churn.items() if is_code_file(path) and not is_test_file(path, tech)}
    total, largest = sum(code.values()), max(code, key=lambda path: code[path], default="")
    if total:
        yield Signal("largest_share_of_churn", round(code[largest] / total, 4), "share", source, largest)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _of_journal(journal: Json) -> Iterator[_Found]:
    """What the engine recorded of this work item's way through the phases."""
    if not journal:
        yield Absent("phases, delegations, escalations, gates", "the request carries no journal")
        return
    for phase in journal.get("phases") or ():
        code = str(phase["phase"])
        yield from _number(f"phase_seconds.{code}", phase.get("seconds"), "s", "journal: phases", code)
        yield from _number(f"phase_rounds.{code}", phase.get("rounds"), "rounds", "journal: phases", code)
    for group, names in _JOURNAL.items():
        facts = journal.get(group) or {}
        for name, unit in names.items():
            yield from _number(f"{group}_{name}", facts.get(name), unit, f"journal: {group}")
    for gate in journal.get("gates") or ():
        for criterion in gate.get("criteria") or ():
            yield from _of_criterion(str(gate.get("phase", "")), criterion)


_JOURNAL = {
    "delegations": {"count": "delegations", "failures": "delegations", "seconds": "s"},
    "escalations": {"raised": "escalations", "answered": "escalations", "median_seconds": "s"},
}
"""Groups of the journal's facts, their figures and units."""


def _of_criterion(phase: str, criterion: Json) -> Iterator[_Found]:
    """A gate's measured figure, and how long the commands ran that measured it. Words and yes-or-no are no signals."""
    name, source = f"gate.{phase}.{criterion.get('name')}", f"gate {phase}"
    figure = None if criterion.get("not_applicable") else _figure(criterion.get("actual"))
    if figure is not None:
        yield Signal(name, figure[0], figure[1], source, phase)
    seconds = sum(_seconds(criterion.get("evidence")))
    if seconds:
        yield Signal(f"{name}.seconds", round(seconds, 3), "s", f"{source}, evidence", phase)


_SHARE = re.compile(r"\((\d+(?:\.\d+)?) ?%\)")
_LEADING = re.compile(r"(-?\d+(?:\.\d+)?) ?(%|[a-z]+)?(?=[\s,;]|$)")


def _figure(actual: Any) -> tuple[float, str] | None:
    """The number and unit in what a gate shows: `92.4 %`, `0 issues by 1 tool`, `9 of 9 passed (100.0 %)`."""
    if is_number(actual):
        return actual, ""
    text = actual if isinstance(actual, str) else ""
    if share := _SHARE.search(text):
        return float(share[1]), "%"
    leading = _LEADING.match(text)
    return (float(leading[1]), leading[2] or "") if leading else None


def _seconds(evidence: Any) -> Iterator[float]:
    """The running times of the commands in a criterion's evidence, however deep they lie."""
    if isinstance(evidence, dict):
        if "command" in evidence and is_number(evidence.get("seconds")):
            yield evidence["seconds"]
        else:
            yield from (seconds for value in evidence.values() for seconds in _seconds(value))
    elif isinstance(evidence, list):
        yield from (seconds for value in evidence for seconds in _seconds(value))


def _number(name: str, value: Any, unit: str, source: str, subject: str = "") -> Iterator[_Found]:
    if is_number(value):
        yield Signal(name, value, unit, source, subject)
    else:
        yield Absent(name, f"{source} has no figure for it")


def is_number(value: Any) -> bool:
    """Whether a value is a figure: finite, and no yes-or-no."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


async def _of_monitor(context: Json, bench: Bench) -> list[_Found]:
    """The release's health, asked for again now."""
    asked = await probe_monitor(bench, context.get("project") or {})
    if asked is None:
        return [Absent("health_ok, health_response_ms", "no release of this project has registered a monitor")]
    monitor, reading = asked
    source = f"monitor of {monitor.get('version')}: {kind_of(monitor['check'])}"
    return [
        Signal("health_ok", int(reading.ok), "yes=1", source, reading.detail),
        Signal("health_response_ms", reading.response_ms, "ms", source),
    ]
