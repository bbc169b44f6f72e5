"""Generation as the command line and the app ask for it: providers in, one report for each out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from core.contract import Json, UsageError
from core.registry.documents import did_you_mean
from core.registry.generation import disk, manifest, plan
from core.registry.generation.plan import Outcome, Plan
from core.registry.generation.providers import DEFAULT, Provider, names, provider
from core.registry.generation.rendering import GenerationError
from core.registry.generation.subjects import Subject


@dataclass(frozen=True, slots=True)
class FileReport:
    """A file and how it stood before anything was written; see `plan.Status`."""

    path: str
    role: str
    status: str


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to one provider's files. Paths are relative to `root`; `diffs` are (path, unified diff).

    The texts of diffs are as they stand in files: they pass `core.sanitise` before they are shown.
    """

    provider: str
    root: Path
    files: tuple[FileReport, ...]
    written: tuple[str, ...]
    pruned: tuple[str, ...]
    refused: tuple[str, ...]
    diffs: tuple[tuple[str, str], ...]

    @property
    def drifted(self) -> tuple[FileReport, ...]:
        """Files that are not what the database's agents make of them."""
        return tuple(file for file in self.files if file.status != "unchanged")

    def to_json(self) -> Json:
        shown: Json = {
            "provider": self.provider,
            "root": str(self.root),
            "files": [{"path": f.path, "role": f.role, "status": f.status} for f in self.files],
            "written": list(self.written),
            "pruned": list(self.pruned),
            "refused": list(self.refused),
        }
        return shown | ({"diffs": dict(self.diffs)} if self.diffs else {})


def generate(
    subjects: Sequence[Subject],
    root: Path,
    *,
    providers: Iterable[str] = (),
    every: bool = False,
    roles: Iterable[str] = (),
    templates: Path | None = None,
    check: bool = False,
    force: bool = False,
    prune: bool = False,
    diff: bool = False,
) -> tuple[Report, ...]:
    """Make the files of some providers below `root`, or with `check` only say how they stand.

    Without names the default provider is meant, with `every` all that there are; with `roles` only those agents'
    files. `diff` adds what would change; what was refused always has its diff. Everything is made and compared
    before the first byte is written. Raises UsageError for unknown names, GenerationError and DocumentError.
    """
    chosen = _providers(tuple(providers), every, templates)
    only = _roles(tuple(roles), subjects)
    if only is not None:
        chosen = _with_files_per_agent(chosen)
    with nullcontext() if check else disk.locked(root):
        known = manifest.read(root)
        plans = [plan.make(p, subjects, root, known, only) for p in chosen]
        reports = []
        for made in plans:
            outcome = Outcome((), (), ())
            if not check:
                outcome, known = plan.write(made, known, force=force, prune=prune)
            reports.append(_report(made, outcome, diff=diff))
    return tuple(reports)


def _providers(chosen: Sequence[str], every: bool, templates: Path | None) -> list[Provider]:
    if every and chosen:
        raise UsageError("Every provider was asked for, and some by name as well; leave one of the two out.")
    listed = names(templates) if every else tuple(dict.fromkeys(chosen)) or (DEFAULT,)
    return [provider(name, templates) for name in listed]


def _roles(chosen: Sequence[str], subjects: Sequence[Subject]) -> frozenset[str] | None:
    known = {subject.role for subject in subjects}
    for role in chosen:
        if role not in known:
            hint = did_you_mean(role, known) or "; `apm agents list` shows them."
            raise UsageError(f"There is no agent {role!r} among those to generate{hint}")
    return frozenset(chosen) or None


def _with_files_per_agent(chosen: Sequence[Provider]) -> list[Provider]:
    found = [p for p in chosen if not p.is_section]
    if not found:
        raise UsageError(f"{chosen[0].name} writes one section about the whole team; leave --role out.")
    return found


def _report(made: Plan, outcome: Outcome, *, diff: bool) -> Report:
    shown = [i for i in made.items if i.path in outcome.refused or (diff and i.status != "unchanged")]
    return Report(
        provider=made.provider,
        root=made.root,
        files=tuple(FileReport(i.path, i.role, i.status) for i in made.items),
        written=outcome.written,
        pruned=outcome.pruned,
        refused=outcome.refused,
        diffs=tuple((i.path, i.diff()) for i in shown),
    )


__all__ = ["FileReport", "GenerationError", "Report", "generate"]
