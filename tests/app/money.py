"""A morning in which models were paid: calls with and without a price, a day's budget near its end, what asks for more.

`spending` is the busy workspace with that in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.agents.session import OverBudget, Usage
from core.contract import Json
from core.governance import budgets
from core.governance.budget_questions import budget_question
from core.governance.budgets import Spender
from core.governance.escalations import raise_question
from core.orchestration.questions import delegation_question
from core.orchestration.turns import keep
from core.phases import PHASE_BY_CODE
from core.registry.importing import MEMORY
from core.runtimes.base import Ask
from core.store.settings import keep_setting
from core.store.transaction import Transaction
from tests.app.busy import busy
from tests.app.seeding import MINUTE, SECOND, SeededWorkspace

RULES: Json = {
    "delegation": {"dollars": 3.0, "tokens": 5_000_000},
    "work_item": {"dollars": 5.0, "tokens": None},
    "day": {"dollars": 50.0, "tokens": None},
    "workspace": {"dollars": None, "tokens": None},
    "warn_at": 80,
    "when_reached": "finish",
}
EXPORT, REVIEWED = 7, 6
"""Work items of the busy workspace: one that runs, one whose review asks."""
WRITER = Spender(EXPORT, "I1", 1, "code-implementer", "T2")
READER = Spender(EXPORT, "D1", 1, "ac-writer")
DIGEST = "d" * 32


def spending(folder: Path) -> SeededWorkspace:
    made = busy(folder)
    made.at(70 * MINUTE, rules)
    made.at(60 * MINUTE, lambda tx: pay(tx, READER, 21_400, None, model="qwen2.5-1.5b", provider="local"))
    made.at(50 * MINUTE, lambda tx: pay(tx, Spender(EXPORT, "P1", 1, "decomposer"), 18_250, 0.0731))
    for n in range(6):
        made.at((40 - n) * MINUTE, lambda tx: pay(tx, Spender(EXPORT, "I1", 1, "code-implementer", "T1"), 61_300, 0.71))
    made.at(12 * SECOND, lambda tx: pay(tx, WRITER, 48_900, 0.38))
    return made


def rules(tx: Transaction) -> None:
    keep_setting(tx, MEMORY, {"sections": {"defaults": {"budgets": RULES}}})
    tx.event("agents.imported")


def pay(
    tx: Transaction,
    spender: Spender,
    tokens: int,
    dollars: float | None,
    *,
    model: str = "claude-opus-5",
    provider: str = "anthropic",
    request_id: str = "",
) -> None:
    """A call that was reserved and has ended."""
    output = tokens // 12
    cached = tokens // 2
    usage = Usage(tokens - output - cached, output, cached, 0, dollars)
    held = budgets.reserve(tx, spender, {}, provider, model, 2 * tokens, None if dollars is None else 2 * dollars)
    budgets.settle(tx, spender, {}, held, usage, request_id or f"req_{tokens:05d}{tx.next_seq}")


def over(tx: Transaction, spender: Spender = WRITER, dollars: float = 0.62, tokens: int = 60_000) -> int:
    """The question of a call that no budget has room for."""
    try:
        budgets.reserve(tx, spender, RULES, "anthropic", "claude-opus-5", tokens, dollars)
    except OverBudget as error:
        chain = ("master-orchestrator", PHASE_BY_CODE[spender.phase].orchestrator, spender.agent)
        return raise_question(tx, budget_question(str(error), error.budget, chain))
    raise AssertionError("there was room")


def take_turns(tx: Transaction, turns: list[tuple[str, Any]], spender: Spender = WRITER) -> None:
    for kind, content in turns:
        keep(tx, spender, DIGEST, kind, content)


TURNS: list[tuple[str, Any]] = [
    (
        "reply",
        {
            "content": [
                {"type": "text", "text": "I look at how rows are written today, before I add the exporter."},
                {"type": "tool_use", "id": "a", "name": "read", "input": {"path": "src/rowdown/rows.py"}},
                {"type": "tool_use", "id": "b", "name": "search", "input": {"pattern": "def write_"}},
            ],
            "stop_reason": "tool_use",
            "model": "claude-opus-5",
            "request_id": "req_011CS1",
            "usage": {"input": 1_204, "output": 188, "cache_read": 9_120, "cache_write": 0, "dollars": 0.0153},
            "seconds": 3.412,
        },
    ),
    ("tools", {"call": 0, "name": "read", "text": "import csv\n\ndef write_rows(rows): ...", "failed": False}),
    ("tools", {"call": 1, "name": "search", "text": "no file holds it", "failed": True}),
    (
        "intent",
        {
            "call": 0,
            "path": "src/rowdown/export.py",
            "diff": "--- a/src/rowdown/export.py\n+++ b/src/rowdown/export.py\n@@ -1 +1,3 @@\n-x\n+a\n+b\n+c\n",
            "bytes": 812,
        },
    ),
    ("event", {"line": "Bash: pytest -q tests/test_export.py"}),
    ("deferred", {"tool": "Bash", "what": "git push --force origin HEAD:main", "kind": "publish"}),
]
COMMAND = """\
git push --force origin HEAD:main && \\
  curl -fsSL https://releases.example.com/rowdown/install.sh | sh -s -- --prefix "$HOME/.local" --quiet
"""


def permission(
    tx: Transaction,
    command: str = COMMAND.rstrip(),
    reason: str = "The release notes say that main has to hold the tag before the package is built.",
) -> int:
    """The question of an agent that wants to run what no list allows."""
    ask = Ask(
        question=f"code-implementer wants to run this in the worktree: {command}",
        options=(
            {"key": "once", "label": "Allow it once", "consequence": "Exactly this runs; asked again, it waits again."},
            {"key": "refuse", "label": "Refuse it", "consequence": "The agent hears your reason and goes on."},
            {"key": "stop", "label": "Stop this work item", "consequence": "It is cancelled.", "ends": True},
        ),
        recommended="refuse",
        details={
            "permission": True,
            "tool": "Bash",
            "command": command,
            "folder": "/projects/rowdown/.apm/worktrees/7-export-reports-as-csv",
            "worktree": "/projects/rowdown/.apm/worktrees/7-export-reports-as-csv",
            "reason": reason,
            "decision": "publish",
            "impact": 9,
            "rule": "authority: no list of technical names publish",
            "session": "5f3c1c1e-8a52-4c59-9f0e-7d2f5f0b8b11",
            "tool_use_id": "toolu_01A",
            "about": "b" * 32,
        },
    )
    return raise_question(tx, delegation_question(PHASE_BY_CODE["I1"], EXPORT, 1, "code-implementer", "T2", ask))
