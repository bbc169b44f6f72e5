"""What an agent, a repository or a file says can neither command the terminal nor break the screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.events import Paste

from core.contract import canonical_json
from core.store.schema import Agent, GateResult, WorkItem
from core.store.transaction import Transaction
from tests.app.driving import SMALL, WIDE, opened, press, settle
from tests.app.seeding import (
    Option,
    Question,
    SeededWorkspace,
    raise_question,
    seed_agents,
    seed_artifact,
    seed_delegation,
    seed_phase,
    seed_project,
    seed_work_item,
)

EVIL = (
    "\x1b]52;c;cm0gLXJmIC8=\x07 \x1b]0;pwned\x07 \x1b[2J \x9b31m [bold red]markup[/] [/] [@click=app.quit]x[/] "
    "\u202egnp.exe\u202c \u2066hidden\u2069 \U000e0041\u200b 日本語 👩\u200d👩 ééé \r\n\ttwo\x00lines \x1b"
)
"""Clipboard and title writes, a cleared screen, markup, bidirectional overrides, tags, wide and combining letters."""


def hostile(tx: Transaction) -> None:
    seed_agents(tx)
    agent = tx.one(Agent.select(Agent.id).where(Agent.role == "ac-writer"))
    assert agent is not None
    tx.update(Agent, agent[0], role=f"ac-writer{EVIL}"[:60])
    tx.event("agents.imported")
    project = seed_project(tx, f"p{EVIL}")
    item = seed_work_item(tx, EVIL, project=project, body=EVIL)
    tx.update(WorkItem, item, branch=EVIL)
    tx.event("work_item.branched", work_item=item)
    seed_phase(tx, item, "D1", "blocked", 1)
    seed_artifact(tx, item, "workitem.ready", EVIL[:60], {EVIL: [EVIL]})
    seed_delegation(
        tx,
        item,
        "D1",
        f"x{EVIL}"[:60],
        subject=EVIL[:30],
        runtime=EVIL[:30],
        request={"requesting_agent": EVIL, "input_artifact": {EVIL: EVIL}, "context": {}, "expected_output": EVIL},
        response={
            "responding_agent": EVIL,
            "output_artifact": {EVIL: EVIL},
            "status": "FAILURE",
            "metadata": {"error": EVIL, "missing": [EVIL], "suggestion": EVIL},
        },
        evidence=[{"command": [EVIL, EVIL], "exit_code": 1, "tool": EVIL[:60], "output_tail": EVIL * 5}],
    )
    criterion = {"name": EVIL, "required": EVIL, "actual": EVIL, "passed": False, "evidence": [{"command": [EVIL]}]}
    tx.insert(
        GateResult,
        work_item=item,
        phase="D1",
        round=1,
        passed=False,
        criteria=canonical_json([criterion, {**criterion, "not_applicable": EVIL, "loosened": EVIL}]),
        missing=canonical_json([EVIL]),
        suggested_action=EVIL,
        judged="{}",
        at=tx.now,
    )
    tx.event("gate.judged", work_item=item)
    options = (
        Option("yes", EVIL, EVIL, asks={"acceptance_criteria": "lines", "who": "text"}),
        Option("no", EVIL, EVIL),
        Option("never", EVIL, EVIL),
    )
    details: dict[str, Any] = {
        "criteria": [criterion],
        "suggested_action": EVIL,
        "agents": {EVIL: {"suggestion": EVIL}},
        "details": [{"agent": EVIL, "subject": EVIL, "error": EVIL}],
        EVIL: {EVIL: EVIL},
        "text": EVIL,
        "list": [EVIL, {"id": EVIL, "text": EVIL}],
    }
    raise_question(
        tx,
        Question(
            kind="gate",
            subject={},
            question=EVIL,
            urgency="IMMEDIATE",
            options=options,
            recommended="yes",
            chain=(EVIL, EVIL),
            work_item=item,
            phase="D1",
            blocks="D1",
            missing=(EVIL, f"acceptance_criteria: {EVIL}"),
            details=details,
        ),
    )


@pytest.fixture
def hostile_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = SeededWorkspace(tmp_path)
    made.store.write_now(hostile)
    yield made
    made.close()


PLACES = {
    "agents": ["1"],
    "work": ["2"],
    "queue": ["3"],
    "briefing": ["4"],
    "work item": ["2", "enter"],
    "gate": ["2", "enter", "2"],
    "delegations": ["2", "enter", "3"],
    "a delegation": ["2", "enter", "3", "enter"],
    "the end of a delegation": ["2", "enter", "3", "enter", "G"],
    "an artifact": ["2", "enter", "4", "G", "enter"],
    "a question": ["space"],
    "its form": ["space", "e"],
    "its other answers": ["space", "r"],
    "a reason": ["space", "3"],
    "a new work item": ["n", "tab", "tab"],
    "a confirmation": ["2", "X"],
    "the evidence": ["space", "v"],
    "a question to the asker": ["space", "c"],
    "a difference": ["2", "d"],
    "triage": ["t"],
    "an answer for many": ["t", "asterisk", "a"],
    "the scope review": ["0", "2"],
    "conflicts": ["0", "3"],
    "history": ["0", "4"],
    "an event": ["0", "4", "2", "G"],
    "the team": ["0", "5", "G"],
    "an agent": ["0", "5", "G", "2", "G"],
    "the whole briefing": ["0", "6"],
    "activity": ["0", "7"],
    "settings": ["0", "8"],
    "commands": ["colon"],
    "a notice": ["2", "p"],
    "a filter": ["2", "slash", "p", "w"],
    "a filter in brackets": ["2", "slash", "[", "/"],
}


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("place", PLACES)
async def test_hostile_text_is_harmless_everywhere(
    hostile_workspace: SeededWorkspace, place: str, size: tuple[int, int]
) -> None:
    async with opened(hostile_workspace, size) as pilot:
        await press(pilot, *PLACES[place])
        strips = pilot.app.screen._compositor.render_strips()
        written = "".join(segment.text for strip in strips for segment in strip)
        widths = {sum(cell_len(segment.text) for segment in strip) for strip in strips}
    assert [f"{ord(c):x}" for c in written if not is_visible(c)] == []
    assert widths == {size[0]}


@pytest.mark.parametrize("keys", [["n"], ["n", *["tab"] * 4], ["space", "e"], ["space", "3"], ["slash"]], ids="-".join)
async def test_a_hostile_paste_is_cleaned(hostile_workspace: SeededWorkspace, keys: list[str]) -> None:
    async with opened(hostile_workspace) as pilot:
        await press(pilot, *keys)
        assert pilot.app.focused is not None
        pilot.app.focused.post_message(Paste(EVIL))
        await settle(pilot)
        shown = "".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
    assert "pwned" not in shown
    # A person who writes has the joiners of their script; everywhere else they are taken out.
    assert [f"{ord(c):x}" for c in shown.replace("👩\u200d👩", "") if not is_visible(c)] == []


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_markup_is_shown_as_it_was_written(hostile_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(hostile_workspace, size) as pilot:
        await press(pilot, "space")
        await settle(pilot)
        shown = pilot.app.screen._compositor.render_strips()
    assert "[bold" in "".join(strip.text for strip in shown)


def is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co") or character in "\ufe0e\ufe0f"
