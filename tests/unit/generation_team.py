"""Teams to generate for: the whole registry as a workspace has it, and small ones made by hand."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from core import workspace as workspaces
from core.governance import authority
from core.registry.generation.service import Report, generate
from core.registry.generation.subjects import Subject, subjects
from core.store import reads
from core.store.reads import Connection
from core.store.rows import AgentRow
from core.workspace import Workspace

PLAIN = AgentRow(
    id=1,
    role="ac-writer",
    display_name="Criteria Writer",
    description="Writes criteria.",
    agent_type="sub-agent",
    tier=3,
    phase="D1",
    capabilities=["writing"],
    sop_content="Write criteria.\n",
    sop_digest="",
    runtime="offline",
    model=None,
    outward=False,
    parameters={},
    is_active=True,
    technologies=[],
    serves=[],
    selection={},
    tools=["read", "search"],
    skill=False,
    origin="agents.yaml",
    file_path=None,
    generated_at=None,
)


def row(role: str, **changes: Any) -> AgentRow:
    """A sub-agent of D1 unless told otherwise."""
    return replace(PLAIN, role=role, **changes)


def orchestrator(role: str, phase: str | None, tier: int = 2) -> AgentRow:
    return row(role, agent_type="orchestrator", tier=tier, phase=phase, tools=["delegate"])


def specialist(role: str, serves: str) -> AgentRow:
    return row(role, agent_type="specialist", phase="I1", serves=[serves], tools=["read", "edit", "run"])


SMALL = (
    orchestrator("master-orchestrator", None, tier=1),
    orchestrator("definition-orch", "D1"),
    row("ac-writer"),
    row("technical", agent_type="domain", phase=None),
)


def team(*rows: AgentRow) -> tuple[Subject, ...]:
    return subjects(rows or SMALL)


@cache
def registry() -> tuple[Subject, ...]:
    """Every agent that comes with apm, out of a workspace's database, with the authority of a new workspace."""
    with tempfile.TemporaryDirectory() as folder:
        made = workspaces.create(Path(folder) / "ws")
        with Workspace.open(made) as workspace:
            return read_team(workspace)


def read_team(workspace: Workspace, *, without: str = "") -> tuple[Subject, ...]:
    def read(reader: Connection) -> tuple[Subject, ...]:
        rows = [row for row in reads.agents(reader) if row.role != without]
        kinds = {row.role: authority.kinds(reader, row.role) for row in rows if row.agent_type == "domain"}
        return subjects(rows, kinds)

    return workspace.store.read_now(read)


TWO = team(row("ac-writer"), row("intent-triage"))
WRITER = Path(".claude/agents/sub-agents/ac-writer.md")
TRIAGE = Path(".claude/agents/sub-agents/intent-triage.md")


def made(root: Path, *, sop: str = "Write criteria.\n", force: bool = False, check: bool = False) -> Report:
    """Generate two agents' files; `sop` is the criteria writer's."""
    return generate(team(row("ac-writer", sop_content=sop), row("intent-triage")), root, force=force, check=check)[0]


def statuses(report: Report) -> dict[str, str]:
    return {file.role: file.status for file in report.files}


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
