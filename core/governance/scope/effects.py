"""A change of authority reaches the files that tell agents of it: those that apm generated, and no others."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.contract import ApmError, Json
from core.governance.authority import kinds
from core.paths import real
from core.store import reads
from core.store.reads import Connection
from core.store.rows import AgentRow
from core.store.store import Store

if TYPE_CHECKING:
    from core.governance.authority import Kind
    from core.registry.generation.manifest import Manifest
    from core.registry.generation.service import Report

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Effects:
    """Files that were made anew; those that were kept because somebody edited them; where it failed, and why."""

    written: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()
    faults: tuple[str, ...] = ()

    def to_json(self) -> Json:
        return {
            "written": [str(path) for path in self.written],
            "refused": [str(path) for path in self.refused],
            "faults": list(self.faults),
        }


@dataclass(frozen=True, slots=True)
class _Team:
    """The agents and the authority in force, at one moment, and where apm may have generated files for them."""

    rows: tuple[AgentRow, ...]
    powers: dict[str, tuple[Kind, ...]]
    roots: tuple[Path, ...]


def regenerate(store: Store, folder: Path, agents: Sequence[str]) -> list[Path]:
    """Bring the generated files of these domain agents to the authority in force; the files that changed.

    Call it outside of any transaction, after the grant is committed. What was edited by hand is kept, and logged.
    """
    found = renew(store, folder, agents)
    for path in found.refused:
        logger.warning("%s was kept: its text is not apm's; `apm agents generate --force` writes over it", path)
    for fault in found.faults:
        logger.warning("%s", fault)
    return list(found.written)


def renew(store: Store, folder: Path, agents: Sequence[str]) -> Effects:
    """The same, told in full. A folder whose files cannot be made does not keep the others from theirs."""
    from core.registry.generation import manifest
    from core.registry.generation.recording import record

    team = store.read_now(lambda r: _team(r, folder))
    reports: list[Report] = []
    faults: list[str] = []
    for root in team.roots:
        try:
            known = manifest.read(root)
        except (ApmError, OSError) as error:
            faults.append(f"{root}: {error}")
            continue
        for name in sorted({entry.provider for entry in known.files.values()}):
            try:
                reports += _made_anew(root, known, name, team, folder, frozenset(agents))
            except (ApmError, OSError) as error:
                faults.append(f"{root}, {name}: {error}")
    if any(report.written for report in reports):
        ordered = sorted(reports, key=lambda report: not _is_named_by(report, team, folder))
        store.write_now(lambda tx: record(tx, *ordered, home=folder))
    return Effects(
        tuple(report.root / path for report in reports for path in report.written),
        tuple(report.root / path for report in reports for path in report.refused),
        tuple(faults),
    )


def files_about(roots: Iterable[Path], agent: str) -> tuple[Path, ...]:
    """The files that apm generated there and that tell of the agent: its own, and sections about the whole team.

    A folder whose manifest cannot be read has none that could be made anew.
    """
    from core.registry.generation import manifest

    found = []
    for root in roots:
        try:
            known = manifest.read(root)
        except (ApmError, OSError):
            continue
        found += [root / path for path, e in known.files.items() if e.role in (agent, "") and (root / path).is_file()]
    return tuple(found)


def roots_of(reader: Connection, folder: Path) -> tuple[Path, ...]:
    """Where apm may have generated files: the workspace's folder and every project's, each once."""
    found = dict.fromkeys([real(folder), *(real(Path(p.path)) for p in reads.projects(reader))])
    return tuple(root for root in found if root.is_dir())


def _team(reader: Connection, folder: Path) -> _Team:
    rows = reads.agents(reader)
    return _Team(
        rows,
        {row.role: kinds(reader, row.role) for row in rows if row.agent_type == "domain"},
        roots_of(reader, folder),
    )


def _made_anew(
    root: Path, known: Manifest, name: str, team: _Team, folder: Path, agents: frozenset[str]
) -> tuple[Report, ...]:
    """A report where the provider has files about one of the agents there. A file that was deleted stays so."""
    from core.registry.generation.providers import provider
    from core.registry.generation.service import generate
    from core.registry.generation.subjects import subjects

    templates = folder / "templates"
    standing = {path: e.role for path, e in known.files.items() if e.provider == name and (root / path).is_file()}
    roles = sorted(agents & set(standing.values()) & set(team.powers))
    is_section = bool(standing) and provider(name, templates).is_section
    if not roles and not is_section:
        return ()
    chosen = _mentioned(root, standing, team.rows) if is_section else team.rows
    return generate(subjects(chosen, team.powers), root, providers=[name], roles=roles, templates=templates)


def _mentioned(root: Path, paths: Iterable[str], rows: Sequence[AgentRow]) -> tuple[AgentRow, ...]:
    """The team that a section was made for: the tiers, and of the specialists those that it names."""
    from core.registry.generation import disk, section

    text = ""
    for path in paths:
        content = disk.read(disk.place_of(root, path, may_be_link=True)) or b""
        try:
            text += section.split(content.decode("utf-8", "surrogateescape")).section or ""
        except section.BrokenMarks as error:
            raise ApmError(f"{path} {error}; mend the marks or remove them all.") from None
    words = set(re.findall(r"[a-z0-9-]+", text))
    return tuple(row for row in rows if row.agent_type != "specialist" or row.role in words)


def _is_named_by(report: Report, team: _Team, folder: Path) -> bool:
    """Whether the report has the file that an agent's row names: that one stays the one it names."""
    named = {row.file_path for row in team.rows if row.file_path}
    home = real(report.root) == real(folder)
    return any((file.path if home else str(real(report.root) / file.path)) in named for file in report.files)
