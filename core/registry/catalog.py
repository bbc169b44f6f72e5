"""The team as its file describes it: every agent with its defaults filled in, the gates' figures, the rules.

`load` reads `agents.yaml` and gives a catalog, or raises CatalogError naming the first ten problems with their
lines. A catalog is never half right: what it holds has passed every check of the schema and of this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from core.contract import UsageError
from core.registry.checks import CHECKS, CODERS, TOOL_ONLY, range_errors
from core.registry.documents import DocumentError, Problem, read
from core.registry.schema import (
    CRITERION_OF,
    LOWER_IS_STRICTER,
    AgentEntry,
    AgentType,
    Authority,
    Conflicts,
    Defaults,
    EscalateFirst,
    Gates,
    NotApplicable,
    Part,
    Runtime,
    checked,
    problems_of,
)

FILE_NAME = "agents.yaml"


class CatalogError(DocumentError):
    """An `agents.yaml` that cannot be used: up to ten lines `agents.yaml:LINE: key.path: what is wrong`."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as it works: what the file says of it, and the defaults where it says nothing.

    `seconds` bounds one delegation. `fallback` executes it when `runtime` needs a model and none is configured.
    """

    role: str
    display_name: str
    tier: int
    type: AgentType
    phase: str | None
    description: str
    capabilities: tuple[str, ...]
    runtime: Runtime
    fallback: Runtime | None
    model: str | None
    outward: bool
    seconds: int
    sop: str
    authority: Authority | None
    context: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """A checked `agents.yaml`. `agents` keeps the file's order; `digest` is SHA-256 of the file's bytes."""

    path: Path
    digest: str
    defaults: Defaults
    gates: Gates
    escalate_first: tuple[EscalateFirst, ...]
    conflicts: Conflicts
    agents: Mapping[str, Agent]


def default_path() -> Path:
    """The `agents.yaml` that comes with apm: beside this module in a wheel, at the top of a checkout."""
    here = Path(__file__).resolve()
    places = (here.with_name(FILE_NAME), here.parents[2] / FILE_NAME)
    for place in places:
        if place.is_file():
            return place
    raise CatalogError(FILE_NAME, [Problem(1, "", "is missing from this installation of apm; install it again")])


def load(path: Path) -> Catalog:
    """The catalog in a file; raises CatalogError with every problem found and its line."""
    try:
        document = read(path)
    except DocumentError as error:
        raise CatalogError(error.source, error.problems) from None
    if not isinstance(document.data, dict):
        what = "is empty" if document.data is None else "is not a mapping of sections"
        text = f"{what}; it needs version, gates, escalate_first, conflicts and agents (`apm init` writes them all)"
        raise CatalogError(document.source, [Problem(1, "", text)])
    file, problems = checked(document)
    if file is not None:
        problems = [document.problem(place, text) for check in CHECKS for place, text in check(file)]
        problems += [problem for place, error in range_errors(file) for problem in problems_of(error, document, place)]
    if file is None or problems:
        raise CatalogError(document.source, problems)
    return Catalog(
        path=path,
        digest=document.digest,
        defaults=file.defaults,
        gates=file.gates,
        escalate_first=file.escalate_first,
        conflicts=file.conflicts,
        agents=MappingProxyType({entry.role: _agent(entry, file.defaults) for entry in file.agents}),
    )


def thresholds(
    catalog: Catalog, phase: str, work_item_type: str, project_thresholds: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """The figures a phase's gate measures against: the file's, the type's own, then the project's own.

    `project_thresholds` are `{name: {"value", "by", "reason", "at"}}`, as the store keeps them. Raises UsageError for
    one that is out of range, and for one that loosens the file's figure without naming the person who did and why.
    """
    standard = _of_type(catalog.gates, phase, work_item_type)
    own = _own(standard, project_thresholds)
    try:
        figures = _with(catalog.gates.thresholds.of(phase), {**standard, **own})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"Gate {phase}: the project's {first['loc'][0]}: {first['msg']}.") from None
    for name in own:
        entry = (project_thresholds or {})[name]
        if _is_looser(name, figures[name], standard[name]) and not (entry.get("by") and entry.get("reason")):
            raise UsageError(
                f"Gate {phase}: the project's {name} of {figures[name]:g} is looser than {standard[name]:g}, and nobody"
                " stands for it. Loosening needs the name of a person and a reason."
            )
    return figures


def loosened(
    catalog: Catalog, phase: str, work_item_type: str, project_thresholds: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Criteria of a phase that a project measures less strictly than the file, each with who allowed it and why."""
    standard = _of_type(catalog.gates, phase, work_item_type)
    figures = thresholds(catalog, phase, work_item_type, project_thresholds)
    return {
        CRITERION_OF[name]: f"{standard[name]:g} → {figures[name]:g} by {entry['by']}: {entry['reason']}"
        for name, entry in (project_thresholds or {}).items()
        if name in figures and _is_looser(name, figures[name], standard[name])
    }


def not_applicable(
    catalog: Catalog, phase: str, work_item_type: str, changed_files: Sequence[str] | None = None
) -> dict[str, NotApplicable]:
    """Criteria of a phase that a rule takes away from a type of work item, each with its rule.

    A rule with `only_files` holds while all of `changed_files` (paths in the repository) match; None, for nothing
    known yet, lets it hold.
    """
    return {
        criterion: rule
        for rule in catalog.gates.not_applicable
        if work_item_type in rule.work_items and _holds(rule, changed_files)
        for code, _, criterion in (name.partition(".") for name in rule.criteria)
        if code == phase
    }


def _holds(rule: NotApplicable, changed_files: Sequence[str] | None) -> bool:
    if not rule.only_files or changed_files is None:
        return True
    return all(any(matches(path, glob) for glob in rule.only_files) for path in changed_files)


def matches(path: str, glob: str) -> bool:
    """Whether a repository path with `/` fits a glob: `*` within a name, `**` across folders, no `/` any folder."""
    return _glob(glob if "/" in glob else f"**/{glob}").fullmatch(path) is not None


@cache
def _glob(glob: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(re.sub(r"\*\*/|\*\*|\*|\?|[^*?]+", lambda m: words.get(m[0]) or re.escape(m[0]), glob), re.DOTALL)


def _of_type(gates: Gates, phase: str, work_item_type: str) -> dict[str, float]:
    changes = {str(kind): phases for kind, phases in gates.by_type.items()}.get(work_item_type, {})
    own = {str(code): figures for code, figures in changes.items()}.get(phase, {})
    return _with(gates.thresholds.of(phase), own)


def _own(standard: Mapping[str, float], project_thresholds: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: entry["value"] for name, entry in (project_thresholds or {}).items() if name in standard}


def _with(part: Part, changes: Mapping[str, Any]) -> dict[str, float]:
    """The section's figures with some of them changed; raises ValidationError where one leaves its range."""
    return type(part).model_validate({**part.model_dump(), **changes}, strict=False).model_dump()


def _is_looser(name: str, value: float, standard: float) -> bool:
    return value > standard if name in LOWER_IS_STRICTER else value < standard


def _agent(entry: AgentEntry, defaults: Defaults) -> Agent:
    return Agent(
        role=entry.role,
        display_name=entry.display_name,
        tier=entry.tier,
        type=entry.type,
        phase=entry.phase,
        description=entry.description,
        capabilities=entry.capabilities,
        runtime=_runtime(entry, defaults),
        fallback=entry.fallback,
        model=entry.model or defaults.model,
        outward=entry.outward,
        seconds=entry.limits.seconds if entry.limits else defaults.limits.delegation_seconds,
        sop=entry.sop,
        authority=entry.authority,
        context=entry.context,
    )


def _runtime(entry: AgentEntry, defaults: Defaults) -> Runtime:
    if entry.role in TOOL_ONLY:
        return "tool"
    runtime = entry.runtime or defaults.runtimes.of(entry.type)
    # No rule over words writes code: a default meant for the thinking agents leaves the coders to a person.
    return "human" if entry.role in CODERS and runtime in ("tool", "offline") else runtime
