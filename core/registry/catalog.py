"""The team as its files describe it: every agent with its defaults filled in, the gates' figures, the rules.

`load` reads `agents.yaml` with the overlays beside it and gives a catalog, or raises CatalogError naming the first
ten problems with their files and lines. A catalog is never half right: what it holds has passed every check.
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

from core.contract import Json, UsageError
from core.registry.checks import CHECKS, CODERS, TOOL_ONLY, range_errors
from core.registry.documents import DocumentError, Problem, parse, unreadable
from core.registry.overlays import Merged, Origin, merged
from core.registry.schema import (
    CRITERION_OF,
    LOWER_IS_STRICTER,
    AgentEntry,
    AgentType,
    Authority,
    CatalogFile,
    Conflicts,
    Defaults,
    EscalateFirst,
    Gates,
    NotApplicable,
    Part,
    Runtime,
    Select,
    Tool,
)
from core.registry.sentences import checked, problems_of
from core.registry.sources import FILE_NAME, OVERLAYS, Sources, read_sources


class CatalogError(DocumentError):
    """Files that describe no team: up to ten lines `agents.yaml:LINE: key.path: what is wrong`."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent as it works: what the file says of it, and the defaults where it says nothing.

    `seconds` bounds one delegation; `limits` is what else of it the file bounds. `fallback` executes it when `runtime`
    needs a model and none is configured.
    `serves` names the roles of the phases that a specialist stands in for; `select` what brings it into a project.
    """

    role: str
    display_name: str
    tier: int
    type: AgentType
    phase: str | None
    description: str
    capabilities: tuple[str, ...]
    technologies: tuple[str, ...]
    serves: tuple[str, ...]
    select: Select | None
    tools: tuple[Tool, ...]
    skill: bool
    runtime: Runtime
    fallback: Runtime | None
    model: str | None
    outward: bool
    seconds: int
    limits: Mapping[str, int]
    sop: str
    authority: Authority | None
    context: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """A checked `agents.yaml` with its overlays. `agents` keeps the files' order; `digest` covers every file's bytes.

    `origins` says by role which files an agent comes from.
    """

    path: Path
    digest: str
    defaults: Defaults
    gates: Gates
    escalate_first: tuple[EscalateFirst, ...]
    conflicts: Conflicts
    agents: Mapping[str, Agent]
    origins: Mapping[str, Origin]

    def sections(self) -> Json:
        """What the file says besides its agents, as JSON with every default written out."""
        parts = {name: getattr(self, name) for name in SECTIONS}
        return {name: _plain(part) for name, part in parts.items()}


SECTIONS = ("defaults", "gates", "escalate_first", "conflicts")
"""What `agents.yaml` holds besides its version and its agents."""


def _plain(part: Part | tuple[Part, ...]) -> Any:
    return [_plain(p) for p in part] if isinstance(part, tuple) else part.model_dump(mode="json", by_alias=True)


def default_path() -> Path:
    """The `agents.yaml` that comes with apm: beside this module in a wheel, at the top of a checkout."""
    here = Path(__file__).resolve()
    places = (here.with_name(FILE_NAME), here.parents[2] / FILE_NAME)
    for place in places:
        if place.is_file():
            return place
    raise CatalogError(FILE_NAME, [Problem(1, "", "is missing from this installation of apm; install it again")])


def load(path: Path) -> Catalog:
    """The catalog in a file and the overlays beside it; raises CatalogError with every problem and its line."""
    try:
        return load_sources(read_sources(path))
    except OSError as error:
        found = unreadable(error, path)
        raise CatalogError(found.source, found.problems) from None


def load_sources(sources: Sources) -> Catalog:
    """The catalog that the files' contents describe; raises CatalogError as `load`."""
    file, whole = read_file(sources)
    return Catalog(
        path=sources.path,
        digest=sources.digest,
        defaults=file.defaults,
        gates=file.gates,
        escalate_first=file.escalate_first,
        conflicts=file.conflicts,
        agents=MappingProxyType({entry.role: filled(entry, file.defaults) for entry in file.agents}),
        origins=MappingProxyType(whole.origins),
    )


def read_file(sources: Sources) -> tuple[CatalogFile, Merged]:
    """The checked model of all files together, and where each of its values stands. Raises CatalogError."""
    name = sources.path.name
    if sources.excess:
        raise CatalogError(OVERLAYS, [Problem(1, "", sources.excess)])
    try:
        base = parse(sources.base, name)
        overlays = [parse(content, overlay) for overlay, content in sources.overlays]
    except DocumentError as error:
        raise CatalogError(error.source, error.problems) from None
    if not isinstance(base.data, dict):
        what = "is empty" if base.data is None else "is not a mapping of sections"
        needed = "version, gates, escalate_first, conflicts and agents"
        text = f"{what}; it needs {needed}, as `apm init` writes them in a folder that has no {FILE_NAME}"
        raise CatalogError(name, [Problem(1, "", text)])
    whole, problems = merged(base, overlays)
    file, found = checked(whole)
    problems += found
    if file is not None:
        problems += [whole.problem(place, text) for check in CHECKS for place, text in check(file)]
        problems += [problem for place, error in range_errors(file) for problem in problems_of(error, whole, place)]
    if file is None or problems:
        raise CatalogError(name, problems)
    return file, whole


def thresholds(
    catalog: Catalog, phase: str, work_item_type: str, project_thresholds: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """The figures a phase's gate measures against: the file's, the type's own, then the project's own.

    `project_thresholds` are `{name: {"value", "by", "reason", "at"}}`, as the store keeps them. Raises UsageError for
    one that is out of range, and for one that loosens the file's figure without naming the person who did and why.
    """
    standard = _of_type(catalog.gates, phase, work_item_type)
    own = _own(standard, project_thresholds)
    if not own:
        return standard
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
    if not project_thresholds:
        return {}
    standard = _of_type(catalog.gates, phase, work_item_type)
    figures = thresholds(catalog, phase, work_item_type, project_thresholds)
    return {
        CRITERION_OF[name]: f"{standard[name]:g} → {figures[name]:g} by {entry['by']}: {entry['reason']}"
        for name, entry in project_thresholds.items()
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
    if not changes:
        return part.model_dump()
    return type(part).model_validate({**part.model_dump(), **changes}, strict=False).model_dump()


def _is_looser(name: str, value: float, standard: float) -> bool:
    return value > standard if name in LOWER_IS_STRICTER else value < standard


def filled(entry: AgentEntry, defaults: Defaults) -> Agent:
    """The agent that an entry describes, with the defaults where it says nothing."""
    return Agent(
        role=entry.role,
        display_name=entry.display_name,
        tier=entry.tier,
        type=entry.type,
        phase=entry.phase,
        description=entry.description,
        capabilities=entry.capabilities,
        technologies=entry.technologies,
        serves=entry.serves,
        select=entry.select,
        tools=entry.tools if entry.tools is not None else defaults.tools.of(entry.type),
        skill=entry.skill,
        runtime=_runtime(entry, defaults),
        fallback=entry.fallback,
        model=entry.model or defaults.model,
        outward=entry.outward,
        seconds=(entry.limits and entry.limits.seconds) or defaults.limits.delegation_seconds,
        limits=entry.limits.of_work() if entry.limits else {},
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
