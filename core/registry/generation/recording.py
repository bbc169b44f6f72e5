"""Which file an agent's row names, and when it was made."""

from __future__ import annotations

from pathlib import Path

from core.paths import real
from core.registry.generation.service import Report
from core.store.schema import Agent
from core.store.transaction import Transaction


def record(tx: Transaction, *reports: Report, home: Path) -> int:
    """Bring `file_path` and `generated_at` of the agents to what was just generated; how many rows changed.

    A path is relative where it lies in the workspace's folder `home`, and whole anywhere else: the files of one
    project are not those of another.

    An agent that has files of several providers names the one of the first report. A file that was already as it
    should be keeps its time; one that was refused changes nothing, and one that was pruned is named no more.
    """
    rows = tx.rows(Agent.select(Agent.id, Agent.role, Agent.file_path, Agent.generated_at))
    known = {role: (int(number), path, at) for number, role, path, at in rows}
    pruned = {_path(report, path, home) for report in reports for path in report.pruned}
    standing = _standing(reports, home)
    changed = 0
    for role, (number, path, at) in known.items():
        if role in standing:
            new_path, is_new = standing[role]
            if is_new or path != new_path or at is None:
                tx.update(Agent, number, file_path=new_path, generated_at=tx.now)
                changed += 1
        elif path in pruned:
            tx.update(Agent, number, file_path=None, generated_at=None)
            changed += 1
    if changed:
        tx.event("agents.generated", providers=[report.provider for report in reports], changed=changed)
    return changed


def _path(report: Report, path: str, home: Path) -> str:
    return path if real(report.root) == real(home) else str(real(report.root) / path)


def _standing(reports: tuple[Report, ...], home: Path) -> dict[str, tuple[str, bool]]:
    """Per role its file and whether it was written just now, from the first report that has one."""
    found: dict[str, tuple[str, bool]] = {}
    for report in reports:
        for file in report.files:
            if file.role and (file.path in report.written or file.status == "unchanged"):
                found.setdefault(file.role, (_path(report, file.path, home), file.path in report.written))
    return found
