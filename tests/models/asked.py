"""What the thinking agents are asked: sample requests, and what the functions of the same roles answer to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json
from core.phases import PHASES
from core.runtimes.functions import FunctionRuntime
from core.store.rows import AgentRow
from tests.unit.agent_rows import agent_row
from tests.unit.git_project import commit, project
from tests.unit.request_samples import FEATURE, FEATURE_TITLE

RAW: Json = {"title": FEATURE_TITLE, "type": "feature", "body": FEATURE, "tags": [], "impact": 3}
READY: Json = {
    "title": FEATURE_TITLE,
    "type": "feature",
    "classification": {"type": "feature", "domain": "cli", "complexity": "medium"},
    "problem": "Tables are retyped by hand.",
    "value": "Nobody retypes them, and a new option `--totals` adds the sums.",
    "acceptance_criteria": [
        {"id": "AC1", "text": "`rowdown convert --totals` appends a row with the sum of every numeric column"},
        {"id": "AC2", "text": "Columns that hold text are left empty in the totals row"},
        {"id": "AC3", "text": "The usage page documents the option"},
    ],
    "risks": [{"id": "R1", "text": "Sums may be wrong", "severity": "high", "mitigation": "Compare with a sheet"}],
    "stated": {"tasks": [], "tasks_found": 0, "approach": ""},
}
SIGNALS = [
    {"name": "phase_rounds.I1", "value": 3, "unit": "rounds", "source": "journal", "subject": "I1"},
    {"name": "commits", "value": 4, "unit": "commits", "source": "git", "subject": ""},
]
DECISION: Json = {
    "kind": "new_dependency",
    "question": "A library, or a pattern of our own?",
    "impact": 5,
    "options": [
        {"key": "none", "label": "Without", "consequence": "More code of our own."},
        {"key": "take", "label": "With", "consequence": "Less code, and its releases are ours to follow."},
    ],
    "recommended": "none",
    "tags": [],
}
ITEM: Json = {"id": 7, "title": FEATURE_TITLE, "type": "feature", "tags": [], "impact": 3}
FILES = {
    "README.md": "# Rows\n",
    "rows/__init__.py": "",
    "rows/table.py": "def totals(rows: list[int]) -> int:\n    '''The sum.'''\n    return sum(rows)  # TODO decimals\n",
    "tests/test_table.py": "def test_a(): ...\ndef test_b(): ...\ndef test_c(): ...\n",
}
_INCOMING = {"D1": RAW, "P1": READY, "I1": {"tasks": []}, "E1": {"signals": SIGNALS}}


def asked(role: str, item: Json, **context: Any) -> AgentRequest:
    return AgentRequest("an-orchestrator", item, {"work_item": ITEM, **context}, role)


class Walk:
    """A repository, and the functions of the phases asked one after the other as the engine asks them."""

    def __init__(self, home: Path) -> None:
        self.repo = home / "rows"
        self.base = commit(self.repo, FILES)
        commit(self.repo, {"rows/table.py": "def totals(rows: list[float]) -> float:\n    return sum(rows)\n"})
        commit(self.repo, {"docs/usage.md": "# Usage\n"})
        for name in ("releases", "scratch"):
            (home / name).mkdir()
        self.bench = Bench(self.repo, home / "releases", home / "scratch")

    async def phase(self, code: str, answers: Mapping[str, Any] | None = None) -> dict[str, tuple[AgentRequest, Any]]:
        """Every sub-agent of the phase that runs without a person: what it was asked, and its answer."""
        spec = next(phase for phase in PHASES if phase.code == code)
        found: dict[str, tuple[AgentRequest, AgentResponse]] = {}
        for step in spec.steps:
            if step.agent in ("code-implementer", "test-implementer"):
                continue
            told = {key: answers[key] for key in step.asks if answers and key in answers}
            context: Json = {
                "work_item": ITEM,
                "project": project(self.repo, self.base, tech={"package": "rows", "test_dirs": ["tests"]}),
                "results": {role: found[role][1].output_artifact for role in step.reads if role in found},
                **({"answers": told} if told else {}),
            }
            if code == "I1":
                context |= {"task": {"id": "T1", "title": "Add totals", "criteria": ["AC1"]}}
                context["criteria"] = READY["acceptance_criteria"]
            request = AgentRequest(spec.orchestrator, _INCOMING[code], context, step.agent)
            found[step.agent] = (request, await by_function(request, step.agent, self.bench))
        return found


async def by_function(request: AgentRequest, role: str, bench: Bench) -> AgentResponse:
    return await FunctionRuntime("offline").execute(request, agent_row(role), bench)


def row(role: str, **values: Any) -> AgentRow:
    return agent_row(role, **{"sop_content": f"You are {role}.", "model": "claude-haiku-5-5", **values})
