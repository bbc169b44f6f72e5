"""The log of a delegation on a model: its turns while it runs and afterwards, and what its calls used and cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from core.governance import budgets
from core.sanitise import sanitise
from core.store.reads_turns import TurnRow
from core.store.transaction import Transaction
from tests.app import money
from tests.app.driving import SMALL, Driving, app_in, lines_of, opened, press, settle
from tests.app.seeding import MORNING, SECOND, SeededWorkspace, seed_delegation
from tui.screens.work.detail import DelegationDetail
from tui.screens.work.running import running_row
from tui.screens.work.turn_text import told
from tui.widgets.document import Document

HOSTILE = "a\x1b]52;c;cm0=\x07b\x1b[2J [red]c[/] \u202ed"
KEYS = st.sampled_from(
    ["content", "type", "text", "name", "input", "usage", "diff", "path", "line", "dollars", "seconds"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


@pytest.fixture
def spent(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = money.spending(tmp_path)
    yield made
    made.close()


async def open_delegation(pilot: Pilot[int], section: str) -> None:
    row = running_row(money.EXPORT, "I1", "code-implementer", "T2")
    await app_in(pilot).push_screen(DelegationDetail(row))
    await settle(pilot)
    await press(pilot, section)


def texts(pilot: Pilot[int]) -> list[str]:
    document = pilot.app.screen.query_one("#detail", Document)
    return ["".join(text for text, _ in (*p.line, *p.tail)).rstrip() for p in document.paragraphs]


def running() -> Driving:
    engine = Driving()
    engine.run(money.EXPORT, "I1", "code-implementer", MORNING - 12 * SECOND)
    engine.delegations = ({**engine.delegations[0], "subject": "T2"},)
    return engine


async def test_turns_are_told_while_they_come(spent: SeededWorkspace) -> None:
    engine = running()
    async with opened(spent, engine=engine) as pilot:
        await open_delegation(pilot, "5")
        assert texts(pilot)[-1] == "now        it runs; its runtime has told nothing so far"
        await spent.store.write(lambda tx: money.take_turns(tx, money.TURNS))
        engine.tell("edits src/rowdown/export.py", 12_345, 0.0432)
        await settle(pilot)
        lines = [line[11:] for line in texts(pilot)]
    assert lines[1:] == [
        "  1 says     I look at how rows are written today, before I add the exporter.",
        "    calls    read src/rowdown/rows.py",
        "    calls    search def write_",
        "             $0.02 · 10.5k tok · 3.4 s",
        "  2 result   read: import csv def write_rows(rows): ...",
        "  3 failed   search: no file holds it",
        "  4 edits    +3 -1 src/rowdown/export.py",
        "  5 tells    Bash: pytest -q tests/test_export.py",
        "  6 waits    git push --force origin HEAD:main",
        "edits src/rowdown/export.py  12.3k tok $0.04",
    ]


async def test_the_log_goes_on_at_its_end_until_somebody_reads_further_up(spent: SeededWorkspace) -> None:
    async with opened(spent, SMALL, engine=running()) as pilot:
        spent.at(0, lambda tx: money.take_turns(tx, money.TURNS * 3))
        await open_delegation(pilot, "5")
        document = pilot.app.screen.query_one("#detail", Document)
        await spent.store.write(lambda tx: money.take_turns(tx, [("event", {"line": "the newest"})]))
        await settle(pilot)
        assert any("the newest" in line for line in lines_of(document))
        await press(pilot, "g")
        await spent.store.write(lambda tx: money.take_turns(tx, money.TURNS))
        await settle(pilot)
        assert document.scroll_offset.y == 0


async def test_turns_stay_when_it_is_on_record(spent: SeededWorkspace) -> None:
    metadata = {"runtime": "claude-code", "sandbox": "bwrap", "tries": 2, "session": "5f3c1c1e"}

    def record(tx: Transaction) -> None:
        money.take_turns(tx, money.TURNS)
        answered = {"responding_agent": "code-implementer", "output_artifact": {}, "status": "SUCCESS"}
        response = {**answered, "metadata": metadata}
        seed_delegation(tx, money.EXPORT, "I1", "code-implementer", subject="T2", response=response)

    spent.at(0, record)
    async with opened(spent) as pilot:
        await open_delegation(pilot, "5")
        assert any("4 edits    +3 -1 src/rowdown/export.py" in line for line in texts(pilot))
        await press(pilot, "1")
        told = texts(pilot)
    assert "sandbox         bwrap" in told
    assert "tries           2" in told
    assert "session         5f3c1c1e" in told


async def test_the_summary_tells_what_calls_used_kind_by_kind_and_what_has_no_price(spent: SeededWorkspace) -> None:
    def more(tx: Transaction) -> None:
        money.pay(tx, money.WRITER, 1_200, None, model="qwen2.5-1.5b", provider="local", request_id="req_local")
        budgets.reserve(tx, money.WRITER, {}, "anthropic", "claude-opus-5", 9_000, 0.5)

    spent.at(0, more)
    async with opened(spent) as pilot:
        await open_delegation(pilot, "1")
        found = {line[:16].strip(): line[16:] for line in texts(pilot)}
    assert found["model"] == "claude-opus-5 (anthropic), qwen2.5-1.5b (local)"
    assert found["calls"] == "3 calls; 1 running, which may use 9,000 tokens"
    assert found["tokens"] == "50,100: 20,875 read, 4,175 written, 25,050 from the cache"
    assert found["cost"] == "$0.38, and 1 call of qwen2.5-1.5b, whose price is not known"
    assert found["request ids"].endswith("req_local")


async def test_hostile_and_huge_turns_are_told_safely(spent: SeededWorkspace) -> None:
    blocks = [
        {"type": "text", "text": HOSTILE},
        {"type": "tool_use", "name": HOSTILE, "input": {"path": HOSTILE}},
        {"type": "text", "text": "x" * 1_000_000},
    ]
    turns: list[tuple[str, Any]] = [
        ("reply", {"content": blocks}),
        ("tools", {"name": HOSTILE, "text": HOSTILE * 100_000}),
        ("event", {"line": "y" * 3_000_000}),
        ("intent", [HOSTILE]),
        ("nobody-knows", HOSTILE),
    ]
    spent.at(0, lambda tx: money.take_turns(tx, turns))
    async with opened(spent, engine=running()) as pilot:
        await open_delegation(pilot, "5")
        lines = texts(pilot)
        drawn = lines_of(pilot.app.screen.query_one("#detail", Document))
    assert any("says     ab [red]c[/] d" in line for line in lines)
    assert any("too long to show here: 3,0" in line for line in lines)
    assert max(map(len, lines)) < 500
    assert all(line.isprintable() for line in (*lines, *drawn))


@given(st.sampled_from(["reply", "tools", "intent", "event", "session", "deferred", "spent", "else"]), JSON)
@settings(max_examples=200, deadline=None)
def test_a_turn_of_any_shape_is_told(kind: str, content: Any) -> None:
    found = told(TurnRow(3, kind, 0, content, 10))

    assert found.lines
    said = ["".join(text for text, _ in line) for line in found.lines]
    assert said == [sanitise(line, keep_newlines=False) for line in said]
